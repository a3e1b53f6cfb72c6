"""Traces: the whole path of a message through the rule chains."""

from typing import Any

from django.db import models

from rules.querysets import TraceDemandQuerySet, TraceQuerySet
from tenants.models import Tenant
from thingsboard.kernel.ids import new_id
from thingsboard.kernel.time import now_ms


class TraceDemand(models.Model):
    """Somebody wants to see what happens to the next messages of an originator: so many, until then.

    The rule engine counts `taken` up, in the transaction in which it writes the traces.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+", editable=False)
    created_time = models.BigIntegerField(default=now_ms, editable=False, help_text="Milliseconds since 1970.")
    originator_type = models.CharField(max_length=32)
    originator_id = models.UUIDField()
    messages = models.IntegerField(help_text="How many messages are traced.")
    taken = models.IntegerField(default=0, help_text="How many were traced.")
    until = models.BigIntegerField(help_text="When it ends at the latest; milliseconds since 1970.")
    ended = models.BooleanField(default=False, help_text="The rule engine was told that it is over.")
    user_name = models.CharField(max_length=255, blank=True, help_text="Who wanted it.")

    objects = TraceDemandQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["tenant", "-created_time"], name="trace_demand_newest")]

    def __str__(self) -> str:
        return f"Trace of {self.originator_type} {self.originator_id}"

    @property
    def active(self) -> bool:
        """Whether further messages are traced."""
        return not self.ended and self.until > now_ms()


class Trace(models.Model):
    """What became of one message in one run. Written by the rule engine past the ORM, in the transaction of its batch.

    `timeline`: {"messages": [{"type", "metadata", "data", "originator", "stored", "cut"}, ...], "steps": [{"chain",
    "chainName", "node", "nodeName", "nodeType", "depth", "from", "by", "at", "us", "batch", "in", "out": [{"relation", "msg",
    "error", "ends", "enters", "leaves"}, ...]}, ...], "omitted": steps beyond the bound}. `in` and `msg` are places in
    `messages`, `from` is one in `steps` or null; `at` and `us` are in microseconds, where the time that a node took for a
    batch is shared out among its messages.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False)
    created_time = models.BigIntegerField(help_text="When it ran; milliseconds since 1970.")
    demand_id = models.UUIDField(null=True, help_text="Who wanted it; null: a sample.")
    originator_type = models.CharField(max_length=32)
    originator_id = models.UUIDField()
    message_id = models.UUIDField()
    type = models.CharField(max_length=255, help_text="The type with which the message came.")
    queue = models.CharField(max_length=64)
    chain_id = models.UUIDField(null=True, help_text="The chain in which it began.")
    chain_name = models.CharField(max_length=255, blank=True)
    error = models.TextField(blank=True, help_text="Why the message failed; empty where it did not.")
    batch = models.IntegerField(help_text="How many messages ran together.")
    nodes = models.IntegerField(help_text="How many nodes it met.")
    wait_us = models.BigIntegerField(help_text="From its place in the queue to its run; microseconds.")
    run_us = models.BigIntegerField(help_text="Its share of the time in nodes; microseconds.")
    write_us = models.BigIntegerField(help_text="Its share of the time of writing what the nodes wanted; microseconds.")
    timeline = models.JSONField(default=dict)

    objects = TraceQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["tenant", "-created_time"], name="trace_tenant_newest"),
            models.Index(fields=["tenant", "originator_id", "-created_time"], name="trace_originator_newest"),
            models.Index(fields=["created_time"], name="trace_age"),
        ]

    def __str__(self) -> str:
        return f"{self.type} of {self.originator_type} {self.originator_id}"

    @property
    def total_us(self) -> int:
        """From its place in the queue to its end, as far as it is this message's share; microseconds."""
        return self.wait_us + self.run_us + self.write_us

    @property
    def steps(self) -> list[dict[str, Any]]:
        """What happened, in order."""
        found: list[dict[str, Any]] = self.timeline.get("steps", [])
        return found


class DebugBudget(models.Model):
    """What a tenant's debug events and samples of one minute come to; counted in the transactions that write them."""

    tenant = models.OneToOneField(
        Tenant, primary_key=True, on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    minute = models.BigIntegerField(help_text="Minutes since 1970.")
    events = models.IntegerField(default=0, help_text="Debug events of that minute, kept or not.")
    samples = models.IntegerField(default=0, help_text="Samples of that minute, kept or not.")
    dropped = models.BigIntegerField(default=0, help_text="Debug events that were not kept, ever.")

    def __str__(self) -> str:
        return f"{self.events} debug events in minute {self.minute}"
