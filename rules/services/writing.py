"""How a chain's rows are written. For the verbs of this room alone: they own the transaction, the audit row and the lock."""

import uuid
from collections.abc import Collection

from django.db import connection as database

from rules.models import RuleChain, RuleConnection, RuleNode
from rules.services import versions
from rules.services.debugging import bounded, longest_debug_ms
from rules.services.draft import Draft, NodeDraft
from rules.services.ticking import forget_nodes
from thingsboard.kernel.entities import deleting, not_found
from thingsboard.kernel.errors import VersionConflict
from thingsboard.kernel.ids import EntityType, new_id
from thingsboard.kernel.time import now_ms

_LOCK_CLASS = 7463  # of advisory locks: chains of a tenant


def lock_chains(tenant_id: uuid.UUID) -> None:
    """Have all writers of the tenant's chains wait for this transaction: saving one may change others."""
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, %s))", [str(tenant_id), _LOCK_CLASS])


def locked(chain: RuleChain, version: int | None = None) -> RuleChain:
    """The chain as it is now, and as nobody else changes it. Raises NotFound, VersionConflict."""
    lock_chains(chain.tenant_id)
    found: RuleChain | None = RuleChain.objects.select_for_update(of=("self",)).filter(pk=chain.pk).first()
    if found is None:
        raise not_found(EntityType.RULE_CHAIN, chain.pk)
    if version is not None and version != found.version:
        raise VersionConflict("The rule chain was changed by someone else: read it again and repeat the change.")
    return found


def inside(chain: RuleChain) -> tuple[list[RuleNode], list[RuleConnection]]:
    """The chain's rows."""
    nodes = list(RuleNode.objects.filter(chain=chain).in_order())
    return nodes, list(RuleConnection.objects.filter(from_node__chain=chain))


def write_inside(
    chain: RuleChain, draft: Draft, *, restoring: bool = False, new: bool = False
) -> tuple[list[RuleNode], list[RuleConnection]]:
    """Make the chain's rows what the draft says, and its first node with them; the chain itself is saved where it is `new`.

    A node whose id is no node's of this chain is a new one with an id of its own; `restoring` keeps ids as they are said.
    """
    draft = draft.checked()
    old = {} if new else {node.pk: node for node in RuleNode.objects.filter(chain=chain)}
    longest = longest_debug_ms(chain.tenant_id)
    # New ones lie a millisecond apart: lists are in the order of time, and so in the order in which they were said.
    start = now_ms() - len(draft.nodes)
    nodes: list[RuleNode] = []
    changed: list[RuleNode] = []
    others: list[uuid.UUID] = []  # that become nodes of another kind
    seen: set[uuid.UUID] = set()
    for index, said in enumerate(draft.nodes):
        known = said.id in old and said.id not in seen
        if known and said.id is not None:
            node = old[said.id]
        else:
            key = said.id if restoring and said.id not in seen else None
            node = RuleNode(
                id=key or new_id(),
                tenant_id=chain.tenant_id,
                chain=chain,
                created_time=said.created_time or start + index,
            )
        seen.add(node.pk)
        if known and node.type != said.type:
            others.append(node.pk)
        if _fill(node, said, longest) and not node._state.adding:
            changed.append(node)
        nodes.append(node)
    chain.first_rule_node_id = None if draft.first is None else nodes[draft.first].pk
    if new:
        chain.save(force_insert=True)
    _drop([key for key in old if key not in seen], chain)
    if others:
        forget_nodes(others)
    RuleNode.objects.bulk_create([node for node in nodes if node._state.adding])
    _update(changed)
    if not new:
        RuleConnection.objects.filter(from_node__chain=chain).delete()
    connections = [
        RuleConnection(from_node=nodes[each.from_index], to_node=nodes[each.to_index], type=each.type)
        for each in draft.connections
    ]
    RuleConnection.objects.bulk_create(connections)
    return sorted(nodes, key=lambda node: (node.created_time, node.pk)), connections


def insert_chain(chain: RuleChain, draft: Draft | None, note: str = "") -> None:
    """Write a new chain with its first version."""
    nodes, connections = write_inside(chain, draft or Draft(), new=True)
    versions.record(chain, nodes, connections, note)


def save_version(
    chain: RuleChain, nodes: Collection[RuleNode], connections: Collection[RuleConnection], note: str = ""
) -> None:
    """Save the chain as its next version."""
    chain.version += 1
    chain.save()
    versions.record(chain, nodes, connections, note)


_WRITTEN = (
    "type", "name", "configuration", "configuration_version", "debug_settings", "singleton_mode", "queue_name",
    "additional_info", "external_id", "version",
)  # fmt: skip


def _fill(node: RuleNode, said: NodeDraft, longest_debug: int) -> bool:
    """Set what was said; whether anything is otherwise now."""
    before = [getattr(node, name) for name in _WRITTEN]
    node.type, node.name = said.type, said.name
    node.configuration, node.configuration_version = said.configuration, said.configuration_version
    node.debug_settings = bounded(said.debug_settings, longest_debug)
    node.singleton_mode, node.queue_name = said.singleton_mode, said.queue_name
    node.additional_info, node.external_id = said.additional_info, said.external_id
    return before != [getattr(node, name) for name in _WRITTEN]


def _update(nodes: list[RuleNode]) -> None:
    """By an upsert: for a thousand nodes `bulk_update` takes seconds, because it writes a CASE for each row and column."""
    for node in nodes:
        node.version += 1
    RuleNode.objects.bulk_create(nodes, update_conflicts=True, unique_fields=["id"], update_fields=_WRITTEN)


def _drop(keys: list[uuid.UUID], chain: RuleChain) -> None:
    if keys:
        deleting(EntityType.RULE_NODE, keys, chain.tenant_id)
        RuleNode.objects.filter(pk__in=keys, chain=chain).delete()
