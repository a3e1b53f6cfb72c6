"""The JSON of rule chains (compat/data_model.md 3, compat/rule_engine.md "Rule chain metadata JSON"), and how it is read."""

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from rules.models import RuleChain, RuleConnection, RuleNode
from rules.services.chains import ChainFields
from rules.services.documents import id_json
from rules.services.draft import INPUT_NODE, Connection, Draft, NodeDraft
from thingsboard.kernel.api import flag_of, id_of, object_of, text_of
from thingsboard.kernel.errors import BadRequest
from thingsboard.kernel.ids import EntityType

_LAST_MS = 2**62


def metadata_json(chain: RuleChain, nodes: Iterable[RuleNode], connections: Iterable[RuleConnection]) -> dict[str, Any]:
    """A RuleChainMetaData; the nodes come `in_order()`."""
    listed = list(nodes)
    places = {node.pk: index for index, node in enumerate(listed)}
    lines = [(places[each.from_node_id], places[each.to_node_id], each.type) for each in connections]
    return {
        "ruleChainId": id_json(EntityType.RULE_CHAIN, chain.pk),
        "version": chain.version,
        "firstNodeIndex": None if chain.first_rule_node_id is None else places.get(chain.first_rule_node_id),
        "nodes": [_node_json(node) for node in listed],
        "connections": [{"fromIndex": start, "toIndex": end, "type": label} for start, end, label in sorted(lines)],
        "ruleChainConnections": None,
    }


def _node_json(node: RuleNode) -> dict[str, Any]:
    return {
        "id": id_json(EntityType.RULE_NODE, node.pk),
        "createdTime": node.created_time,
        "ruleChainId": id_json(EntityType.RULE_CHAIN, node.chain_id),
        "type": node.type,
        "name": node.name,
        "debugSettings": node.debug_settings,
        "singletonMode": node.singleton_mode,
        "queueName": node.queue_name,
        "configurationVersion": node.configuration_version,
        "configuration": node.configuration,
        "externalId": id_json(EntityType.RULE_NODE, node.external_id),
        "additionalInfo": node.additional_info,
    }


def chain_fields(body: Mapping[str, Any]) -> ChainFields:
    """What a RuleChain in a request says; unknown members, the tenant and the first node among them, count for nothing.

    Raises BadRequest.
    """
    return ChainFields(
        name=text_of(body, "name"),
        type=text_of(body, "type") or None,
        debug_mode=flag_of(body, "debugMode"),
        configuration=object_of(body, "configuration"),
        additional_info=object_of(body, "additionalInfo"),
        external_id=id_of(body, "externalId", EntityType.RULE_CHAIN),
    )


def draft_of(body: Mapping[str, Any]) -> Draft:
    """What a RuleChainMetaData says of nodes and connections. Raises BadRequest with the place of what is wrong.

    Older files have `ruleChainConnections`, which lead from a node into another chain: each becomes an input node.
    """
    nodes = [_node(node, f"nodes[{index}]") for index, node in enumerate(_objects(body, "nodes"))]
    connections = [
        Connection(_index(line, "fromIndex"), _index(line, "toIndex"), text_of(line, "type"))
        for line in _objects(body, "connections")
    ]
    for line in _objects(body, "ruleChainConnections"):
        target = id_of(line, "targetRuleChainId", EntityType.RULE_CHAIN)
        if target is None:
            raise BadRequest("ruleChainConnections: targetRuleChainId: expected the id of a rule chain")
        connections.append(Connection(_index(line, "fromIndex"), len(nodes), text_of(line, "type")))
        nodes.append(_input_node(target, object_of(line, "additionalInfo")))
    first = None if body.get("firstNodeIndex") is None else _index(body, "firstNodeIndex")
    return Draft(tuple(nodes), first, tuple(connections))


def _input_node(target: uuid.UUID, info: dict[str, Any] | None) -> NodeDraft:
    name = str((info or {}).get("ruleChainNodeName") or "Rule Chain Input")[:255]
    return NodeDraft(
        type=INPUT_NODE,
        name=name.strip() or "Rule Chain Input",
        configuration={"ruleChainId": str(target), "forwardMsgToDefaultRuleChain": False},
        configuration_version=1,
        additional_info=info,
    )


def _node(data: dict[str, Any], place: str) -> NodeDraft:
    try:
        return NodeDraft(
            id=id_of(data, "id", EntityType.RULE_NODE),
            type=text_of(data, "type"),
            name=text_of(data, "name"),
            configuration=object_of(data, "configuration") or {},
            configuration_version=_whole(data, "configurationVersion"),
            debug_settings=_debug_settings(data),
            singleton_mode=flag_of(data, "singletonMode"),
            queue_name=text_of(data, "queueName") or None,
            additional_info=object_of(data, "additionalInfo"),
            external_id=id_of(data, "externalId", EntityType.RULE_NODE),
        )
    except BadRequest as error:
        raise BadRequest(f"{place}: {error.message}") from None


def _debug_settings(data: Mapping[str, Any]) -> dict[str, Any] | None:
    """`debugSettings`, or what older files call `debugMode`. Raises BadRequest."""
    settings = object_of(data, "debugSettings")
    if settings is None:
        return {"failuresEnabled": True, "allEnabled": True} if flag_of(data, "debugMode") else None
    until = _whole(settings, "allEnabledUntil")
    if not 0 <= until < _LAST_MS:
        raise BadRequest("debugSettings: allEnabledUntil: expected a time in ms")
    return {
        "failuresEnabled": flag_of(settings, "failuresEnabled"),
        "allEnabled": flag_of(settings, "allEnabled"),
        "allEnabledUntil": until,
    }


def _objects(body: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """A member that is an array of objects, [] where it is absent or null. Raises BadRequest."""
    value = body.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise BadRequest(f"{name}: expected an array of objects")
    return value


def _index(data: Mapping[str, Any], name: str) -> int:
    if data.get(name) is None:
        raise BadRequest(f"{name}: expected the index of a rule node")
    return _whole(data, name)


def _whole(data: Mapping[str, Any], name: str) -> int:
    """A member that is a whole number, 0 where it is absent or null. Raises BadRequest."""
    value = data.get(name)
    if value is None:
        return 0
    if not isinstance(value, int) or isinstance(value, bool):
        raise BadRequest(f"{name}: expected a whole number")
    return value
