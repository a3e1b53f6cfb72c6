"""The base of every entity, the durable queue and the timers."""

from typing import Any

from django.db import models
from django.db.models.expressions import RawSQL

from thingsboard.kernel.ids import new_id
from thingsboard.kernel.time import now_ms


class Entity(models.Model):
    """UUID key, creation time in ms, and the version that optimistic locking compares."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    created_time = models.BigIntegerField(default=now_ms, editable=False, help_text="Milliseconds since 1970.")
    version = models.BigIntegerField(default=1, editable=False)

    class Meta:
        abstract = True


class CurrentXactId(RawSQL):
    """`pg_current_xact_id()` as a column default."""

    def __init__(self) -> None:
        super().__init__("pg_current_xact_id()", ())

    def deconstruct(self) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        """For migrations: the expression has no arguments."""
        return "thingsboard.kernel.models.CurrentXactId", (), {}


class Xid8Field(models.Field):
    """PostgreSQL's 64-bit transaction id, as an int."""

    def db_type(self, connection: Any) -> str:
        """The column's type."""
        return "xid8"

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> int | None:
        """Psycopg hands an xid8 over as text."""
        return None if value is None else int(value)


class OutboxRow(models.Model):
    """Messages that must not be lost, appended in the writer's own transaction (architecture.md 4, "The queue").

    One row holds the messages of one (batch, tenant, queue, lane), encoded once. `xid` orders rows by transaction, because
    ids do not commit in order.
    """

    id = models.BigAutoField(primary_key=True)
    xid = Xid8Field(db_default=CurrentXactId(), editable=False)
    tenant_id = models.UUIDField()
    queue = models.CharField(max_length=64)
    lane = models.SmallIntegerField()
    kind = models.CharField(max_length=32)
    messages = models.PositiveIntegerField(help_text="How many messages the body holds.")
    body = models.BinaryField()
    attempts = models.SmallIntegerField(default=0)
    created_time = models.BigIntegerField(default=now_ms)

    class Meta:
        indexes = [models.Index(fields=["lane", "xid", "id"], name="outbox_lane_order")]

    def __str__(self) -> str:
        return f"{self.queue}/{self.lane} #{self.pk} ({self.messages} messages)"


class Timer(models.Model):
    """Work that is due at a time; claimed with FOR UPDATE SKIP LOCKED and a lease (architecture.md 4, "Draining")."""

    id = models.BigAutoField(primary_key=True)
    tenant_id = models.UUIDField(null=True)
    kind = models.CharField(max_length=64)
    key = models.CharField(max_length=200, help_text="What the timer is about; unique within its kind.")
    due_time = models.BigIntegerField(help_text="Milliseconds since 1970.")
    leased_until = models.BigIntegerField(default=0, help_text="Milliseconds since 1970; 0 while nobody works on it.")
    attempts = models.SmallIntegerField(default=0)
    body = models.BinaryField(default=bytes)

    class Meta:
        indexes = [models.Index(fields=["due_time"], name="timer_due")]
        constraints = [models.UniqueConstraint(fields=["kind", "key"], name="timer_kind_key")]

    def __str__(self) -> str:
        return f"{self.kind} {self.key} at {self.due_time}"
