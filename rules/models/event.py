"""What happened at a rule node or chain: ThingsBoard's events."""

import uuid

from django.db import models

from rules.querysets import RuleEventQuerySet
from tenants.models import Tenant

# An id of ours that is a number, as the UUID that ThingsBoard's clients expect (RFC 9562, version 8).
_TAIL = b"\x80\x00\x80tbevent"


class EventType(models.TextChoices):
    """ThingsBoard's kinds of events (compat/data_model.md 10)."""

    ERROR = "ERROR"
    LC_EVENT = "LC_EVENT"
    STATS = "STATS"
    DEBUG_RULE_NODE = "DEBUG_RULE_NODE"
    DEBUG_RULE_CHAIN = "DEBUG_RULE_CHAIN"
    DEBUG_CALCULATED_FIELD = "DEBUG_CALCULATED_FIELD"


class RuleEvent(models.Model):
    """One event, never changed. Written by the rule engine past the ORM, in the transaction of the batch that it tells of.

    No foreign key is checked by the database: a node that is deleted meanwhile must not spoil the whole batch, and its
    events grow old like all others. Rows of one batch have ids in the order in which things happened.
    """

    id = models.BigAutoField(primary_key=True)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False)
    created_time = models.BigIntegerField(help_text="Milliseconds since 1970.")
    type = models.CharField(max_length=32, choices=EventType.choices)
    entity_type = models.CharField(max_length=32)
    entity_id = models.UUIDField()
    body = models.JSONField(help_text="ThingsBoard's body of this type of event, its texts bounded.")

    objects = RuleEventQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["entity_id", "type", "-created_time", "-id"], name="rule_event_newest"),
            models.Index(fields=["created_time"], name="rule_event_age"),
        ]

    def __str__(self) -> str:
        return f"{self.type} of {self.entity_type} {self.entity_id}"

    @property
    def uid(self) -> uuid.UUID:
        """Its id as a UUID."""
        return uuid.UUID(bytes=self.id.to_bytes(6, "big") + _TAIL)
