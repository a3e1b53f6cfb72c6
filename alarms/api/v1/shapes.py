"""How our own API spells alarms."""

from typing import Any

from rest_framework import serializers

from alarms.models import Alarm, AlarmSeverity, AlarmStatus
from alarms.services.state import LAST_MS, LONGEST_RELATION_TYPE, LONGEST_TYPE, MOST_RELATION_TYPES
from thingsboard.kernel.ids import EntityType
from thingsboard.kernel.serializers import EntitySerializer


class OriginatorSerializer(serializers.Serializer[Any]):
    """What an alarm is about."""

    entity_type = serializers.ChoiceField(choices=[kind.value for kind in EntityType], source="type")
    id = serializers.UUIDField()


class AlarmSerializer(EntitySerializer):
    """An alarm; times in ms, 0 while it has not happened. Without `start_ts` and `end_ts` it begins, or goes on, now."""

    originator = OriginatorSerializer()
    type = serializers.CharField(max_length=LONGEST_TYPE)
    severity = serializers.ChoiceField(choices=AlarmSeverity.choices)
    status = serializers.ChoiceField(choices=AlarmStatus.choices, read_only=True)
    start_ts = serializers.IntegerField(required=False, min_value=0, max_value=LAST_MS)
    end_ts = serializers.IntegerField(required=False, min_value=0, max_value=LAST_MS)
    details = serializers.JSONField(required=False, allow_null=True)
    propagate_relation_types = serializers.ListField(
        child=serializers.CharField(max_length=LONGEST_RELATION_TYPE), max_length=MOST_RELATION_TYPES, required=False
    )

    class Meta:
        model = Alarm
        fields = (
            "id", "created_time", "tenant_id", "customer_id", "originator", "type", "severity", "status", "acknowledged",
            "cleared", "start_ts", "end_ts", "ack_ts", "clear_ts", "assign_ts", "assignee_id", "details", "propagate",
            "propagate_to_owner", "propagate_to_tenant", "propagate_relation_types", "version",
        )  # fmt: skip
        read_only_fields = ("acknowledged", "cleared", "ack_ts", "clear_ts", "assign_ts", "assignee_id")


class AssigneeSerializer(serializers.Serializer[Any]):
    """Who is to look after it."""

    assignee_id = serializers.UUIDField()
