"""Output nodes: the labels by which a chain gives messages back, and the chains that connect something to them."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from rules.models import RuleChain, RuleConnection, RuleNode
from rules.querysets import RuleNodeQuerySet
from rules.services.documents import announce
from rules.services.draft import INPUT_NODE, OUTPUT_NODE
from rules.services.writing import inside, save_version
from tenants.models import ActionType
from tenants.services import audit
from tenants.services.events import Event
from thingsboard.kernel.ids import EntityType


@dataclass(frozen=True, slots=True)
class Usage:
    """An input node that sends messages into a chain, and the relations that leave it."""

    node: RuleNode
    labels: list[str]


def output_labels(chain: RuleChain) -> list[str]:
    """The names of the chain's output nodes, each once."""
    return sorted(set(RuleNode.objects.filter(chain=chain, type=OUTPUT_NODE).values_list("name", flat=True)))


def input_nodes_of(chain: RuleChain) -> RuleNodeQuerySet:
    """The nodes, in whichever chain of the tenant, that send messages into this one."""
    rows: RuleNodeQuerySet = RuleNode.objects.filter(tenant_id=chain.tenant_id, type=INPUT_NODE)
    return rows.filter(configuration__ruleChainId=str(chain.pk))


def usages_of(chain: RuleChain, most: int = 1000) -> list[Usage]:
    """Who uses the chain's labels; at most so many nodes."""
    found = input_nodes_of(chain).select_related("chain").prefetch_related("outgoing").in_order()[:most]
    return [Usage(node, sorted({each.type for each in node.outgoing.all()})) for node in found]


def names_of_outputs(chain: RuleChain) -> dict[uuid.UUID, str]:
    """The chain's output nodes by id, to be compared after a save."""
    return dict(RuleNode.objects.filter(chain=chain, type=OUTPUT_NODE).values_list("pk", "name"))


def follow_renames(chain: RuleChain, before: Mapping[uuid.UUID, str]) -> list[RuleChain]:
    """Rename the connections of other chains that waited for a label whose output node has another name now; those chains.

    A label that some other output node still has stays (compat/rule_engine.md, "updateRelated").
    """
    now = names_of_outputs(chain)
    renamed = {before[key]: name for key, name in now.items() if key in before and before[key] != name}
    for name in now.values():
        renamed.pop(name, None)
    if not renamed:
        return []
    using = list(input_nodes_of(chain).values_list("pk", "chain_id"))
    changed = []
    others = RuleChain.objects.filter(pk__in={key for _, key in using}).exclude(pk=chain.pk)
    for other in others.select_for_update(of=("self",)).order_by("pk"):
        if _rename(other, [node for node, key in using if key == other.pk], renamed):
            with audit.deed(ActionType.UPDATED, EntityType.RULE_CHAIN, other) as entry:
                nodes, connections = inside(other)
                save_version(other, nodes, connections, f"Labels of {chain.name} were renamed")
                entry.after({"renamed_labels": renamed})
                announce(Event.ENTITY_UPDATED, other)
            changed.append(other)
    return changed


def _rename(chain: RuleChain, nodes: list[uuid.UUID], renamed: Mapping[str, str]) -> bool:
    """Give the connections that leave these nodes their new labels; whether there were any."""
    found = list(RuleConnection.objects.filter(from_node__in=nodes, from_node__chain=chain))
    kept = {(each.from_node_id, each.to_node_id, each.type) for each in found if each.type not in renamed}
    old = [each for each in found if each.type in renamed]
    RuleConnection.objects.filter(pk__in=[each.pk for each in old]).delete()
    wanted = {(each.from_node_id, each.to_node_id, renamed[each.type]) for each in old} - kept
    RuleConnection.objects.bulk_create(
        [RuleConnection(from_node_id=start, to_node_id=end, type=label) for start, end, label in sorted(wanted)]
    )
    return bool(old)
