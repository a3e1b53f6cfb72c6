"""Versions of rule chains: written with every save, read, compared, and brought back."""

import uuid
from collections.abc import Iterable, Iterator
from typing import Any

from django.conf import settings

from rules.models import RuleChain, RuleChainVersion, RuleConnection, RuleNode
from rules.services.draft import Connection, Draft, NodeDraft
from rules.services.events import note_started
from rules.services.ticking import arm
from tenants.services import audit
from thingsboard.kernel.errors import NotFound

LONGEST_NOTE = 255


def definition_of(chain: RuleChain, nodes: Iterable[RuleNode], connections: Iterable[RuleConnection]) -> dict[str, Any]:
    """The chain whole, as `RuleChainVersion.definition` holds it."""
    return {
        "name": chain.name,
        "type": chain.type,
        "debugMode": chain.debug_mode,
        "additionalInfo": chain.additional_info,
        "configuration": chain.configuration,
        "first": str(chain.first_rule_node_id) if chain.first_rule_node_id else None,
        "nodes": [
            {
                "id": str(node.pk),
                "createdTime": node.created_time,
                "type": node.type,
                "name": node.name,
                "configuration": node.configuration,
                "configurationVersion": node.configuration_version,
                "debugSettings": node.debug_settings,
                "singletonMode": node.singleton_mode,
                "queueName": node.queue_name,
                "additionalInfo": node.additional_info,
                "externalId": str(node.external_id) if node.external_id else None,
            }
            for node in nodes
        ],
        "connections": sorted([str(each.from_node_id), str(each.to_node_id), each.type] for each in connections),
    }


def draft_of(definition: dict[str, Any]) -> Draft:
    """The inside of the chain that a definition holds; its nodes keep their ids."""
    places = {node["id"]: index for index, node in enumerate(definition["nodes"])}
    nodes = tuple(
        NodeDraft(
            id=uuid.UUID(node["id"]),
            created_time=node["createdTime"],
            type=node["type"],
            name=node["name"],
            configuration=node["configuration"],
            configuration_version=node["configurationVersion"],
            debug_settings=node["debugSettings"],
            singleton_mode=node["singletonMode"],
            queue_name=node["queueName"],
            additional_info=node["additionalInfo"],
            external_id=uuid.UUID(node["externalId"]) if node["externalId"] else None,
        )
        for node in definition["nodes"]
    )
    connections = tuple(
        Connection(places[start], places[end], label) for start, end, label in definition["connections"]
    )
    return Draft(nodes, places.get(definition["first"]), connections)


def record(
    chain: RuleChain, nodes: Iterable[RuleNode], connections: Iterable[RuleConnection], note: str = ""
) -> RuleChainVersion:
    """Write the version that the chain has become; those beyond TB_RULE_CHAIN_VERSIONS go, the oldest first."""
    user = audit.acting_user()
    made = RuleChainVersion(
        chain=chain,
        number=chain.version,
        user_id=user.pk if user else None,
        user_name=user.email if user else "",
        note=note[:LONGEST_NOTE],
        definition=definition_of(chain, nodes, connections),
    )
    made.save(force_insert=True)
    note_started(chain, made.definition)
    arm(chain, made.definition)
    if made.number > settings.TB_RULE_CHAIN_VERSIONS:
        kept = chain.versions.order_by("-number").values("pk")[: settings.TB_RULE_CHAIN_VERSIONS]
        chain.versions.exclude(pk__in=kept).delete()
    return made


def version_of_chain(chain: RuleChain, number: int) -> RuleChainVersion:
    """One version. Raises NotFound for one that never was, or is no longer kept."""
    found = RuleChainVersion.objects.filter(chain=chain, number=number).first() if abs(number) < 2**63 else None
    if found is None:
        raise NotFound(f"Version [{number}] of the rule chain is not found; the newest {chain.version}")
    return found


def difference(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """What happened between two definitions.

    {"chain": [field, ...], "nodes": {"added": [node, ...], "removed": [...], "changed": [{node.., "fields": [field, ...]}]},
    "connections": {"added": [connection, ...], "removed": [...]}}, where a field is {"field": dotted path, "before",
    "after"}, a node {"id", "name", "type"} and a connection {"from", "from_name", "to", "to_name", "type"}.
    """
    old, new = ({node["id"]: node for node in side["nodes"]} for side in (before, after))
    names = {key: node["name"] for key, node in {**old, **new}.items()}
    were, are = ({tuple(each) for each in side["connections"]} for side in (before, after))
    of_chain = [{key: side[key] for key in side if key not in {"nodes", "connections"}} for side in (before, after)]
    return {
        "chain": list(_fields(of_chain[0], of_chain[1])),
        "nodes": {
            "added": [_brief(node) for key, node in new.items() if key not in old],
            "removed": [_brief(node) for key, node in old.items() if key not in new],
            "changed": [
                {**_brief(node), "fields": list(_fields(old[key], node))}
                for key, node in new.items()
                if key in old and old[key] != node
            ],
        },
        "connections": {
            "added": [_connection(each, names) for each in sorted(are - were)],
            "removed": [_connection(each, names) for each in sorted(were - are)],
        },
    }


def summary(changes: dict[str, Any], most: int = 50) -> dict[str, Any]:
    """The difference as the audit log is told: names, and counts of connections. At most so many names of a kind."""
    told: dict[str, Any] = {
        f"nodes_{kind}": [node["name"] for node in nodes[:most]] for kind, nodes in changes["nodes"].items() if nodes
    }
    told |= {f"connections_{kind}": len(found) for kind, found in changes["connections"].items() if found}
    return told | {each["field"]: each["after"] for each in changes["chain"]}


def _brief(node: dict[str, Any]) -> dict[str, Any]:
    return {name: node[name] for name in ("id", "name", "type")}


def _connection(each: tuple[str, ...], names: dict[str, str]) -> dict[str, str]:
    start, end, label = each
    return {"from": start, "from_name": names[start], "to": end, "to_name": names[end], "type": label}


def _fields(before: dict[str, Any], after: dict[str, Any], path: str = "") -> Iterator[dict[str, Any]]:
    """The members that differ, objects member by member."""
    for name in {**before, **after}:
        old, new = before.get(name), after.get(name)
        if old == new and type(old) is type(new):
            continue
        if isinstance(old, dict) and isinstance(new, dict):
            yield from _fields(old, new, f"{path}{name}.")
        else:
            yield {"field": f"{path}{name}", "before": old, "after": new}
