"""POST /api/v1/ruleChains/{id}/dry-run: what messages would cause in a chain."""

from collections.abc import Sequence
from typing import Any

import orjson
from rest_framework import serializers

from rules.models import RuleChain
from rules.services.dry_run import MOST_MESSAGES, Tried, dry_run, newest_messages
from telemetry.points import END_OF_TIME_MS
from tenants.models import User
from thingsboard.kernel.encoding import json_bytes
from thingsboard.kernel.entities import tenant_of, visible
from thingsboard.kernel.errors import NotFound
from thingsboard.kernel.ids import EntityId, EntityType
from thingsboard.kernel.outbox import Message

LONGEST_TYPE = 255
LARGEST_MESSAGE = 65_536  # bytes of JSON
MOST_METADATA = 100
_KINDS = [(kind.value, kind.value) for kind in EntityType]


class TriedOriginatorSerializer(serializers.Serializer[Any]):
    """Whose message it is."""

    entity_type = serializers.ChoiceField(choices=_KINDS)
    id = serializers.UUIDField()


class DryMessageSerializer(serializers.Serializer[Any]):
    """A message. Without `metadata` it has those that a message of that device has; without `ts` (ms) it is of now."""

    type = serializers.CharField(max_length=LONGEST_TYPE, default="POST_TELEMETRY_REQUEST")
    originator = TriedOriginatorSerializer()
    data = serializers.JSONField()  # type: ignore[assignment]
    metadata = serializers.DictField(child=serializers.CharField(allow_blank=True), required=False, allow_null=True)
    ts = serializers.IntegerField(required=False, min_value=0, max_value=END_OF_TIME_MS - 1)

    def validate_data(self, value: Any) -> bytes:
        """As JSON text, bounded."""
        raw = json_bytes(value)
        if len(raw) > LARGEST_MESSAGE:
            raise serializers.ValidationError(
                f"It has {len(raw)} bytes of JSON; at most {LARGEST_MESSAGE} are accepted."
            )
        return raw

    def validate_metadata(self, value: dict[str, str] | None) -> dict[str, str] | None:
        """Bounded."""
        if value is not None and len(value) > MOST_METADATA:
            raise serializers.ValidationError(f"At most {MOST_METADATA} members are accepted.")
        return value


class NewestMessagesSerializer(serializers.Serializer[Any]):
    """The newest telemetry of an entity, as messages."""

    originator = TriedOriginatorSerializer()
    last = serializers.IntegerField(min_value=1, max_value=MOST_MESSAGES, default=10)


class DryRunSerializer(serializers.Serializer[Any]):
    """Either `messages`, or `newest`. `version`: of the chain, else the present one. `assume`: by which label messages leave
    nodes that work outside, such as Failure; null: they stop there.
    """

    messages = DryMessageSerializer(  # type: ignore[call-arg]
        many=True, required=False, max_length=MOST_MESSAGES, allow_empty=False
    )
    newest = NewestMessagesSerializer(required=False)
    version = serializers.IntegerField(required=False, allow_null=True, min_value=1, max_value=2**63 - 1)
    assume = serializers.CharField(required=False, allow_null=True, max_length=255, default="Success")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """One of the two."""
        if ("messages" in attrs) is ("newest" in attrs):
            raise serializers.ValidationError("Expected either messages or newest.")
        return attrs


class TriedSerializer(serializers.Serializer[Any]):
    """What would become of a message: `outcome` is done, failed, waits or skipped. `timeline` as that of a trace."""

    message = serializers.JSONField()
    outcome = serializers.CharField()
    error = serializers.CharField()
    effects = serializers.ListField(child=serializers.JSONField())
    timeline = serializers.JSONField()


class DryRunAnswerSerializer(serializers.Serializer[Any]):
    """All of them, in their order."""

    version = serializers.IntegerField()
    results = TriedSerializer(many=True)


def answer(chain: RuleChain, user: User, said: dict[str, Any]) -> dict[str, Any]:
    """The answer to what DryRunSerializer took. Raises NotFound for an originator that the user does not see."""
    if "newest" in said:
        originator = _own(chain, user, said["newest"]["originator"])
        messages: Sequence[Message] = newest_messages(originator, said["newest"]["last"])
        if not messages:
            raise NotFound("The entity has no telemetry yet.")
    else:
        messages = [
            Message(
                each["type"], _own(chain, user, each["originator"]), each["data"], each.get("metadata"), each.get("ts")
            )
            for each in said["messages"]
        ]
    version = said.get("version")
    tried = dry_run(chain, messages, version=version, assume=said.get("assume"))
    return {"version": chain.version if version is None else version, "results": [_told(each) for each in tried]}


def _own(chain: RuleChain, user: User, said: dict[str, Any]) -> EntityId:
    originator = EntityId(EntityType(said["entity_type"]), said["id"])
    if tenant_of(originator, visible(originator, user)) != chain.tenant_id:
        raise NotFound(f"The {originator.type.value} [{originator.id}] is not one of the tenant")
    return originator


def _told(tried: Tried) -> dict[str, Any]:
    msg = tried.msg
    return {
        "message": {
            "type": msg.type,
            "originator": {"entity_type": msg.originator.type.value, "id": str(msg.originator.id)},
            "ts": msg.ts,
            "metadata": dict(msg.metadata),
            "data": orjson.loads(msg.data.raw),
        },
        "outcome": tried.outcome,
        "error": tried.error,
        "effects": tried.effects,
        "timeline": tried.timeline,
    }
