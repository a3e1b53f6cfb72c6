"""Nodes that tick from their beginning, and what goes when a node does.

A node is armed in the transaction that saves its chain: its timer is there with the commit, whatever dies afterwards. For which
configuration is remembered: saving a chain anew does not disturb a node that stayed as it was.
"""

import json
import uuid
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from hashlib import blake2b
from typing import Any, Final

from django.db import connection

from rules import registry
from rules.engine.graph import build
from rules.engine.later import tick
from rules.models import HeldMessage, NodeState, RuleChain, RuleChainType, RuleChainVersion, RuleNode
from rules.node import Node
from rules.node.later import TICK, Tick
from telemetry import erasure
from thingsboard.kernel import timers
from thingsboard.kernel.ids import EntityId, EntityType
from thingsboard.kernel.outbox import Position
from thingsboard.kernel.time import now_ms

# Under this key is remembered for which configuration a node was armed.
ARMED: Final = "armed"

BITE = 5_000  # rows of one statement

_ORPHANS = """
    DELETE FROM {table} WHERE id IN (
        SELECT w.id FROM {table} w WHERE NOT EXISTS (SELECT FROM rules_rulenode n WHERE n.id = w.node_id) LIMIT %s
    )
"""


@cache
def ticking_types() -> tuple[str, ...]:
    """The kinds of nodes that tick from their beginning."""
    return tuple(type for type, kind in registry.all().items() if kind.begins is not Node.begins)


def arm(chain: RuleChain, definition: Mapping[str, Any]) -> None:
    """Have the nodes of the chain's new version tick that do so from their beginning: those that are new, or have another
    configuration than before, begin anew. One that no longer can stops. In the transaction that saves the version.
    """
    if chain.type != RuleChainType.CORE:
        return
    kinds = ticking_types()
    candidates = {uuid.UUID(raw["id"]): raw for raw in definition["nodes"] if raw["type"] in kinds}
    if not candidates:
        return
    armed = dict(NodeState.objects.filter(node_id__in=candidates, key=ARMED).values_list("node_id", "value"))
    now = now_ms()
    begun: dict[uuid.UUID, tuple[Tick, str]] = {}
    for key, raw in candidates.items():
        first, mark = build(raw).begins(now), _fingerprint(raw)
        if first is not None and armed.get(key) != mark:
            begun[key] = first, mark
        elif first is None and key in armed:
            forget_nodes([key])
    _begin(chain, begun)


def _begin(chain: RuleChain, begun: Mapping[uuid.UUID, tuple[Tick, str]]) -> None:
    if not begun:
        return
    # States before timers, as the engine does.
    NodeState.objects.filter(node_id__in=begun).delete()
    NodeState.objects.bulk_create(
        NodeState(tenant_id=chain.tenant_id, node_id=key, key=name, value=value)
        for key, (first, mark) in begun.items()
        for name, value in ((ARMED, mark), (TICK, first.due))
    )
    wanted = [
        tick(Position(chain.pk.bytes, key.bytes), EntityId(EntityType.RULE_NODE, key), first.due, first.type)
        for key, (first, _) in begun.items()
    ]
    connection.ensure_connection()
    timers.set_single(connection.connection, chain.tenant_id, wanted, keep=False)


def arm_all() -> int:
    """Arm the nodes of chains that were saved before their kind was known; how many chains have some."""
    armed = NodeState.objects.filter(key=ARMED).values("node_id")
    waiting = RuleNode.objects.filter(type__in=ticking_types(), chain__type=RuleChainType.CORE).exclude(pk__in=armed)
    chains = list(RuleChain.objects.filter(pk__in=waiting.values("chain_id")))
    for chain in chains:
        found = RuleChainVersion.objects.filter(chain=chain, number=chain.version).first()
        if found is not None:
            arm(chain, found.definition)
    return len(chains)


def forget_nodes(ids: Collection[uuid.UUID]) -> None:
    """What nodes that go leave behind goes with them: what they remember and hold back, and their timers."""
    keys = list(ids)
    NodeState.objects.filter(node_id__in=keys).delete()
    HeldMessage.objects.filter(node_id__in=keys).delete()
    connection.ensure_connection()
    timers.cancel_owners(connection.connection, keys)


def take_leave(kind: EntityType, ids: Collection[uuid.UUID], tenant_id: uuid.UUID | None) -> None:
    """What is done before nodes or tenants are deleted (`thingsboard.kernel.entities.before_delete`), in that transaction.

    Nothing is measured of rule nodes, except where one sends messages in its own name: what was saved of those is erased.
    """
    if kind is EntityType.RULE_NODE and ids:
        measured = RuleNode.objects.filter(pk__in=list(ids), type__in=ticking_types())
        found = list(measured.values_list("tenant_id", "pk"))
        for owner in sorted({owner for owner, _ in found}):
            erasure.request(owner, [EntityId(EntityType.RULE_NODE, key) for each, key in found if each == owner])
        forget_nodes(ids)
    elif kind is EntityType.TENANT:
        keys = list(ids)
        NodeState.objects.filter(tenant_id__in=keys).delete()
        HeldMessage.objects.filter(tenant_id__in=keys).delete()
        connection.ensure_connection()
        timers.cancel_tenants(connection.connection, keys)


def forget_orphans() -> int:
    """Remove what a batch wrote for a node while somebody deleted it; how many rows, at most a bite of each table."""
    gone = 0
    with connection.cursor() as cursor:
        for table in ("rules_heldmessage", "rules_nodestate"):
            cursor.execute(_ORPHANS.format(table=table), [BITE])
            gone += cursor.rowcount
    return gone


def _fingerprint(raw: Mapping[str, Any]) -> str:
    """Says the same as long as the node does the same."""
    said: Sequence[Any] = [raw.get(name) for name in ("type", "configuration", "configurationVersion", "queueName")]
    # The database gives members back in another order.
    return blake2b(json.dumps(said, sort_keys=True).encode(), digest_size=16).hexdigest()
