"""How our own API spells rule chains, their insides and versions."""

from typing import Any

from rest_framework import serializers

from rules.models import RuleChain, RuleChainType, RuleChainVersion
from thingsboard.kernel.serializers import EntitySerializer, JsonObject

LONGEST_LABEL = 255


class RuleChainSerializer(EntitySerializer):
    """A rule chain. Its nodes are /metadata below it; which one is the root, only /setRoot says."""

    name = serializers.CharField(max_length=255)
    type = serializers.ChoiceField(choices=RuleChainType.choices, required=False)
    additional_info = JsonObject(required=False, allow_null=True)
    configuration = JsonObject(required=False, allow_null=True)

    class Meta:
        model = RuleChain
        fields = (
            "id", "created_time", "tenant_id", "name", "type", "root", "first_rule_node_id", "debug_mode", "configuration",
            "additional_info", "external_id", "version",
        )  # fmt: skip
        read_only_fields = ("root", "first_rule_node_id")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """A type that is not said stays what it is."""
        kind = attrs.get("type")
        return {**super().validate(attrs), "type": kind}


class ConnectionSerializer(serializers.Serializer[Any]):
    """From the node of one index to that of another."""

    from_index = serializers.IntegerField()
    to_index = serializers.IntegerField()
    type = serializers.CharField(
        max_length=LONGEST_LABEL, help_text="The relation's label: Success, Failure, True, ..."
    )


class DebugSettingsSerializer(serializers.Serializer[Any]):
    """What of a node is shown: failures, and for a time everything."""

    failures_enabled = serializers.BooleanField(default=False)
    all_enabled = serializers.BooleanField(
        default=False, write_only=True, help_text="From now on, as long as is allowed."
    )
    all_enabled_until = serializers.IntegerField(
        default=0, min_value=0, max_value=2**62, help_text="Milliseconds since 1970."
    )


class NodeSerializer(serializers.Serializer[Any]):
    """A rule node. One without an id, or with an id that is none of the chain's, is a new one."""

    id = serializers.UUIDField(required=False, allow_null=True)
    created_time = serializers.IntegerField(read_only=True)
    type = serializers.CharField(max_length=255, help_text="The class of ThingsBoard's node.")
    name = serializers.CharField(max_length=255)
    configuration = JsonObject(required=False)
    configuration_version = serializers.IntegerField(default=0, min_value=-(2**31), max_value=2**31 - 1)
    debug_settings = DebugSettingsSerializer(required=False, allow_null=True)
    singleton_mode = serializers.BooleanField(default=False)
    queue_name = serializers.CharField(max_length=255, required=False, allow_null=True)
    additional_info = JsonObject(required=False, allow_null=True)
    external_id = serializers.UUIDField(required=False, allow_null=True)


class MetadataSerializer(serializers.Serializer[Any]):
    """The inside of a chain. PUT replaces it whole."""

    version = serializers.IntegerField(required=False, min_value=0, max_value=2**63 - 1)
    first_node_index = serializers.IntegerField(required=False, allow_null=True)
    nodes = NodeSerializer(many=True)
    connections = ConnectionSerializer(many=True, required=False)


class RestoreSerializer(serializers.Serializer[Any]):
    """Which version shall be the newest again; `version` is what the caller last saw."""

    number = serializers.IntegerField(min_value=1, max_value=2**63 - 1)
    version = serializers.IntegerField(required=False, min_value=0, max_value=2**63 - 1)


class ListedVersionSerializer(serializers.ModelSerializer[RuleChainVersion]):
    """A version in a list."""

    class Meta:
        model = RuleChainVersion
        fields = ("number", "created_time", "user_id", "user_name", "note")
        read_only_fields = fields


class VersionSerializer(ListedVersionSerializer):
    """A version whole."""

    class Meta:
        model = RuleChainVersion
        fields = (*ListedVersionSerializer.Meta.fields, "definition")
        read_only_fields = fields


class ImportedSerializer(serializers.Serializer[Any]):
    """What became of a chain of a file."""

    id = serializers.UUIDField(allow_null=True)
    name = serializers.CharField()
    updated = serializers.BooleanField()
    error = serializers.CharField(allow_null=True)
