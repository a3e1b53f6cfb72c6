"""The base of every entity, the durable queue and the timers."""

from typing import Any

from django.db import models
from django.db.models.expressions import RawSQL

from thingsboard.kernel.ids import new_id
from thingsboard.kernel.querysets import DeadLetterQuerySet
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


class OutboxFlow(models.Model):
    """What is worked off in order: the messages of one tenant, queue and lane. Its id is made of the three (`outbox.flow_id`).

    A row stays for good, so that whoever looks for work finds it without reading the messages.
    """

    id = models.BigIntegerField(primary_key=True)
    tenant_id = models.UUIDField()
    queue = models.CharField(max_length=255)
    lane = models.SmallIntegerField()

    class Meta:
        indexes = [models.Index(fields=["tenant_id"], name="outbox_flow_tenant")]

    def __str__(self) -> str:
        return f"{self.tenant_id} {self.queue}/{self.lane}"


class OutboxRow(models.Model):
    """Messages that must not be lost, appended in the writer's own transaction (architecture.md 4, "The queue").

    One row holds the messages of one (batch, flow), encoded once. `xid` orders rows by transaction, because ids do not
    commit in order.
    """

    id = models.BigAutoField(primary_key=True)
    xid = Xid8Field(db_default=CurrentXactId(), editable=False)
    flow_id = models.BigIntegerField()
    messages = models.PositiveIntegerField(help_text="How many messages the body holds.")
    done = models.PositiveIntegerField(
        default=0, help_text="How many of them are processed: a suspected row goes in bites."
    )
    size = models.PositiveIntegerField(help_text="Bytes of the body.")
    attempts = models.SmallIntegerField(default=0, help_text="Runs that were begun; committed before each.")
    retries = models.SmallIntegerField(default=0, help_text="How often its first message failed and was put off.")
    not_before = models.BigIntegerField(default=0, help_text="When it is tried again; milliseconds since 1970.")
    created_time = models.BigIntegerField(default=now_ms)
    body = models.BinaryField()

    class Meta:
        indexes = [models.Index(fields=["flow_id", "xid", "id"], name="outbox_flow_order")]

    def __str__(self) -> str:
        return f"#{self.pk} of {self.flow_id} ({self.messages} messages)"


class DeadLetter(models.Model):
    """A message that could not be processed, kept until an operator reads it, runs it again or drops it."""

    id = models.BigAutoField(primary_key=True)
    tenant_id = models.UUIDField()
    queue = models.CharField(max_length=255)
    message_id = models.UUIDField()
    type = models.CharField(max_length=255)
    originator_type = models.CharField(max_length=32)
    originator_id = models.UUIDField()
    chain_id = models.UUIDField(null=True)
    node_id = models.UUIDField(null=True)
    error = models.TextField()
    attempts = models.SmallIntegerField(default=1)
    created_time = models.BigIntegerField(default=now_ms)
    body = models.BinaryField()

    objects = DeadLetterQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["tenant_id", "-id"], name="dead_letter_tenant"),
            models.Index(fields=["created_time"], name="dead_letter_time"),
        ]

    def __str__(self) -> str:
        return f"{self.type} of {self.originator_type} {self.originator_id}: {self.error[:80]}"


class Timer(models.Model):
    """A message that is queued when its time has come, or when somebody answers it before (kernel/timers).

    Rows are written and taken past the ORM. `owner` is who set it; a `single` one is the only one of its owner and key.
    """

    id = models.BigAutoField(primary_key=True)
    tenant_id = models.UUIDField()
    owner = models.UUIDField()
    key = models.UUIDField(null=True, help_text="Who knows it may answer the message; or what the single one is about.")
    single = models.BooleanField(default=False)
    due = models.BigIntegerField(help_text="Milliseconds since 1970.")
    queue = models.CharField(max_length=255)
    size = models.PositiveIntegerField(help_text="Bytes of the body.")
    body = models.BinaryField(help_text="One message, as the queue's rows hold many.")

    class Meta:
        indexes = [
            models.Index(fields=["due", "id"], name="timer_due"),
            models.Index(fields=["tenant_id", "due", "id"], include=["size"], name="timer_tenant_due"),
            models.Index(fields=["owner"], name="timer_owner"),
            models.Index(
                fields=["tenant_id", "key"], name="timer_key", condition=models.Q(single=False, key__isnull=False)
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant_id", "owner", "key"], name="timer_single", condition=models.Q(single=True)
            )
        ]

    def __str__(self) -> str:
        return f"#{self.pk} of {self.owner} at {self.due}"


class Effect(models.Model):
    """Work outside of the database that a message waits for (kernel.effects), stored with the COMMIT that wanted it.

    `due_time` is when it may be claimed: while somebody works on it that is when his lease ends. The body holds the message, as
    in the queue, with the place where it goes on.
    """

    id = models.BigAutoField(primary_key=True)
    tenant_id = models.UUIDField()
    destination = models.CharField(max_length=255, help_text="Whom the work is sent to.")
    queue = models.CharField(max_length=255, help_text="Where the message goes on.")
    size = models.PositiveIntegerField(help_text="Bytes of the body.")
    due_time = models.BigIntegerField(help_text="When it may be claimed; milliseconds since 1970.")
    lease = models.BigIntegerField(default=0, help_text="A number that its present worker alone knows; 0: nobody.")
    attempts = models.SmallIntegerField(default=0, help_text="Tries that were begun; committed before each.")
    parked = models.BooleanField(default=False, help_text="Nothing to do: the message waits for one before it.")
    order_key = models.BigIntegerField(null=True, help_text="Of one key, one after the other; null: in no order.")
    order_no = models.BigIntegerField(default=0, help_text="Its place among those of its key.")
    created_time = models.BigIntegerField(default=now_ms)
    body = models.BinaryField()

    class Meta:
        indexes = [
            models.Index(
                fields=["tenant_id", "destination", "due_time", "id"],
                name="effect_claim",
                condition=models.Q(parked=False),
            ),
            models.Index(
                fields=["order_key", "order_no", "id"],
                name="effect_order",
                condition=models.Q(order_key__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} for {self.destination}"
