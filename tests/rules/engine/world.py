"""Chains in a few lines, and what runs messages through them without a worker."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction
from django.db.models import F

from rules.engine.drain import Drain
from rules.models import PlanEpoch, RuleChain, RuleChainVersion
from rules.node import Node
from thingsboard.kernel import outbox
from thingsboard.kernel.ids import EntityId, EntityType
from thingsboard.kernel.models import OutboxRow
from thingsboard.kernel.outbox import Message

Spec = tuple[type[Node] | str, dict[str, Any]]


def make_chain(
    tenant_id: uuid.UUID,
    nodes: Sequence[Spec],
    connections: Sequence[tuple[int, int, str]] = (),
    *,
    first: int | None = 0,
    root: bool = True,
    chain: RuleChain | None = None,
    debug: Mapping[int, dict[str, Any]] | None = None,
) -> RuleChain:
    """A chain of these nodes (class or type, configuration) and connections (from, to, label); or the next version of one.

    `debug` has the debug settings of nodes.
    """
    if chain is None:
        if root:
            RuleChain.objects.filter(tenant_id=tenant_id, root=True, type="CORE").update(root=False)
        chain = RuleChain.objects.create(tenant_id=tenant_id, name="Chain", root=root)
    else:
        chain.version += 1
        chain.save()
    ids = [str(uuid.uuid4()) for _ in nodes]
    definition = {
        "name": chain.name,
        "first": None if first is None else ids[first],
        "nodes": [
            {
                "id": ids[number],
                "type": kind if isinstance(kind, str) else kind.TYPE,
                "name": f"node {number}",
                "configuration": {**({} if isinstance(kind, str) else kind.defaults()), **configuration},
                "configurationVersion": 0 if isinstance(kind, str) else kind.VERSION,
                "debugSettings": (debug or {}).get(number),
            }
            for number, (kind, configuration) in enumerate(nodes)
        ],
        "connections": [[ids[source], ids[target], label] for source, target, label in connections],
    }
    RuleChainVersion.objects.create(chain=chain, number=chain.version, definition=definition)
    PlanEpoch.objects.get_or_create(id=1)
    PlanEpoch.objects.update(epoch=F("epoch") + 1)
    return chain


def telemetry(device_id: uuid.UUID, data: bytes, ts: int = 1000, **fields: Any) -> Message:
    """A message of a device."""
    return Message("POST_TELEMETRY_REQUEST", EntityId(EntityType.DEVICE, device_id), data, None, ts, **fields)


def queue(tenant_id: uuid.UUID, *messages: Message, name: str = "Main") -> None:
    """Append them in one transaction."""
    with transaction.atomic():
        outbox.append_many(tenant_id, messages, queue=name)


def drain(worker: Drain | None = None, *, groups: Sequence[int] = range(64)) -> None:
    """Work off everything that can be worked off now."""
    own = worker or Drain()
    for group in groups:
        while own.work(group, 5.0, linger_s=0.0):
            pass
    if worker is None:
        own.close()


@contextmanager
def refused(alarm_type: str) -> Iterator[None]:
    """For a while the database takes no alarm of that type: who makes one spoils the batch."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE alarms_alarm ADD CONSTRAINT refused_for_a_test CHECK (type <> %s)", [alarm_type])
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE alarms_alarm DROP CONSTRAINT refused_for_a_test")


def waiting() -> int:
    """How many messages wait."""
    return sum(row.messages - row.done for row in OutboxRow.objects.all())
