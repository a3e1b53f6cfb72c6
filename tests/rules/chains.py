"""Rule chains as a client of ThingsBoard's API makes them."""

from collections.abc import Sequence
from typing import Any

from thingsboard.kernel.ids import EntityType

SWITCH = "org.thingsboard.rule.engine.filter.TbMsgTypeSwitchNode"
LOG = "org.thingsboard.rule.engine.action.TbLogNode"
INPUT = "org.thingsboard.rule.engine.flow.TbRuleChainInputNode"
OUTPUT = "org.thingsboard.rule.engine.flow.TbRuleChainOutputNode"


def create(client: Any, name: str = "Pumps", **more: Any) -> Any:
    """A new chain."""
    answer = client.post("/api/ruleChain", {"name": name, **more}, format="json")
    assert answer.status_code == 200, answer.content
    return answer.json()


def id_of(chain: Any) -> str:
    return chain["id"]["id"]


def node(kind: str, name: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "name": name, "configuration": {}, "additionalInfo": {"layoutX": 1, "layoutY": 2}, **more}


def line(start: int, end: int, label: str = "Success") -> dict[str, Any]:
    return {"fromIndex": start, "toIndex": end, "type": label}


def inside(key: str, nodes: Sequence[Any], lines: Sequence[Any] = (), first: int | None = 0, **more: Any) -> Any:
    """A RuleChainMetaData."""
    return {
        "ruleChainId": {"entityType": EntityType.RULE_CHAIN, "id": key},
        "firstNodeIndex": first,
        "nodes": nodes,
        "connections": list(lines),
        "ruleChainConnections": None,
        **more,
    }


def save(client: Any, *args: Any, query: str = "", **more: Any) -> Any:
    """POST metadata; the answer."""
    return client.post(f"/api/ruleChain/metadata{query}", inside(*args, **more), format="json")


def saved(client: Any, *args: Any, **more: Any) -> Any:
    """The metadata that was saved."""
    answer = save(client, *args, **more)
    assert answer.status_code == 200, answer.content
    return answer.json()


def metadata(client: Any, key: str) -> Any:
    answer = client.get(f"/api/ruleChain/{key}/metadata")
    assert answer.status_code == 200, answer.content
    return answer.json()


def root_of(client: Any) -> Any:
    """The tenant's root chain."""
    page = client.get("/api/ruleChains?pageSize=100&page=0&sortProperty=root").json()
    (root,) = [chain for chain in page["data"] if chain["root"]]
    return root
