"""Alarms: one thing that is wrong with one entity, from the moment it was seen until it is cleared."""

from django.db import models
from django.db.models import Q

from alarms.querysets import AlarmQuerySet
from tenants.models import Customer, TenantOwned, User
from thingsboard.kernel.ids import EntityId, EntityType


class AlarmSeverity(models.TextChoices):
    """ThingsBoard's severities, the gravest first."""

    CRITICAL = "CRITICAL", "Critical"
    MAJOR = "MAJOR", "Major"
    MINOR = "MINOR", "Minor"
    WARNING = "WARNING", "Warning"
    INDETERMINATE = "INDETERMINATE", "Indeterminate"


class AlarmStatus(models.TextChoices):
    """ThingsBoard's statuses: the two flags in one word."""

    ACTIVE_UNACK = "ACTIVE_UNACK", "Active, unacknowledged"
    ACTIVE_ACK = "ACTIVE_ACK", "Active, acknowledged"
    CLEARED_UNACK = "CLEARED_UNACK", "Cleared, unacknowledged"
    CLEARED_ACK = "CLEARED_ACK", "Cleared, acknowledged"


def status_of(cleared: bool, acknowledged: bool) -> AlarmStatus:
    """The status of an alarm with these flags."""
    if cleared:
        return AlarmStatus.CLEARED_ACK if acknowledged else AlarmStatus.CLEARED_UNACK
    return AlarmStatus.ACTIVE_ACK if acknowledged else AlarmStatus.ACTIVE_UNACK


class Alarm(TenantOwned):
    """An alarm (compat/data_model.md 7). Times are ms since 1970, 0 while it has not happened.

    An originator has at most one alarm of a type that is not cleared; to raise it again updates that one. The rows are written
    by alarms/services/bulk.py alone.
    """

    customer = models.ForeignKey(Customer, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    originator_type = models.CharField(max_length=32)
    originator_id = models.UUIDField()
    type = models.CharField(max_length=255)
    severity = models.CharField(max_length=16, choices=AlarmSeverity.choices)
    acknowledged = models.BooleanField(default=False)
    cleared = models.BooleanField(default=False)
    start_ts = models.BigIntegerField(help_text="Since when, in ms.")
    end_ts = models.BigIntegerField(help_text="When it was raised last, in ms.")
    ack_ts = models.BigIntegerField(default=0)
    clear_ts = models.BigIntegerField(default=0)
    assign_ts = models.BigIntegerField(default=0)
    assignee = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    details = models.JSONField(null=True, blank=True)
    propagate = models.BooleanField(default=False, help_text="To whatever has a relation to the originator.")
    propagate_to_owner = models.BooleanField(default=False)
    propagate_to_tenant = models.BooleanField(default=False)
    propagate_relation_types = models.JSONField(default=list, blank=True)

    objects = AlarmQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["originator_id", "type"], condition=Q(cleared=False), name="alarm_one_active"
            )
        ]
        indexes = [
            models.Index(fields=["tenant", "created_time"], name="alarm_tenant_created"),
            models.Index(fields=["tenant", "type", "created_time"], name="alarm_tenant_type"),
            models.Index(fields=["tenant", "created_time"], condition=Q(cleared=False), name="alarm_tenant_active"),
            models.Index(fields=["originator_id", "created_time"], name="alarm_originator_created"),
        ]

    def __str__(self) -> str:
        return self.type

    @property
    def originator(self) -> EntityId:
        """What it is about."""
        return EntityId(EntityType(self.originator_type), self.originator_id)

    @property
    def status(self) -> AlarmStatus:
        """The two flags in one word."""
        return status_of(self.cleared, self.acknowledged)
