"""Rule chains, the kinds of their nodes, and queues."""

from typing import TYPE_CHECKING, Any

from rules.models import Queue, RuleChain, RuleChainType
from rules.services.chains import ChainFields, create_chain
from rules.services.defaults import DEFAULT_CHAIN
from rules.services.draft import Draft
from rules.services.queues import SYSTEM_QUEUES, create_queue
from tests.contracts.contract import Kind, Kinds, Routes, by
from thingsboard.kernel.ids import new_id

if TYPE_CHECKING:
    from tests.contracts.world import World

_PAGE = "pageSize=100&page=0"
_CHAIN = {
    "name": "New",
    "type": "CORE",
    "debugMode": False,
    "root": False,
    "configuration": None,
    "additionalInfo": {"description": "d"},
    "externalId": {"entityType": "RULE_CHAIN", "id": str(new_id())},
}
_FILTER = "org.thingsboard.rule.engine.filter.TbMsgTypeSwitchNode"
_NODES: list[dict[str, Any]] = [
    {"type": _FILTER, "name": "a", "configuration": {"version": 0}, "debugSettings": {"allEnabled": True}},
    {"type": "com.example.Unknown", "name": "b", "configuration": {"any": [1]}, "additionalInfo": {"layoutX": 1}},
]
_METADATA = {
    "ruleChainId": {"entityType": "RULE_CHAIN", "id": "{rule_chain}"},
    "firstNodeIndex": 0,
    "nodes": _NODES,
    "connections": [{"fromIndex": 0, "toIndex": 1, "type": "Other"}],
    "ruleChainConnections": None,
}
_FILE = {"ruleChains": [_CHAIN], "metadata": []}
_SCRIPT = {
    "script": "return true;",
    "scriptType": "filter",
    "argNames": [],
    "msg": "{}",
    "metadata": {},
    "msgType": "T",
}
_TRIED = {"messages": [{"originator": {"entity_type": "TENANT", "id": "{tenant}"}, "data": {"t": 1}}]}
_QUEUE = {
    "name": "Fresh",
    "topic": "tb_rule_engine.fresh",
    "pollInterval": 25,
    "partitions": 1,
    "consumerPerPartition": True,
    "packProcessingTimeout": 2000,
    "submitStrategy": {"type": "BURST", "batchSize": 10},
    "processingStrategy": {"type": "RETRY_ALL", "retries": 3, "failurePercentage": 0, "pauseBetweenRetries": 1,
                           "maxPauseBetweenRetries": 5},
    "additionalInfo": None,
}  # fmt: skip
_RESOURCE = {"name": "New", "type": "CORE", "additional_info": {"a": 1}, "debug_mode": True, "version": 1}
_INSIDE = {
    "first_node_index": 0,
    "nodes": [{"type": _FILTER, "name": "a", "configuration": {}}, {"type": "com.example.Unknown", "name": "b"}],
    "connections": [{"from_index": 0, "to_index": 1, "type": "Other"}],
}

ROUTES: Routes = {
    "api/component/<clazz>": {"GET": by("ST")},
    "api/components": {"GET": by("ST", query="componentTypes=FILTER,ACTION&ruleChainType=CORE")},
    "api/components/<component_type>": {"GET": by("ST")},
    "api/queues": {
        "GET": by("ST", query=f"serviceType=TB_RULE_ENGINE&{_PAGE}"),
        "POST": by("S", query="serviceType=TB-RULE-ENGINE", body=_QUEUE, saves="queue"),
    },
    "api/queues/<queue_id>": {"GET": by("ST"), "DELETE": by("S")},
    "api/queues/name/<queue_name>": {"GET": by("ST")},
    "api/rule-engine/": {"POST": by("STC", body={"a": 1}, answers={"S": 408})},
    **{
        f"api/rule-engine/<kind>/<entity_id>{more}": {"POST": by("TC", body={"a": 1})}
        for more in ("", "/<timeout>", "/<queue_name>/<timeout>")
    },
    "api/ruleChain": {"POST": by("T", body=_CHAIN, saves="rule_chain")},
    "api/ruleChain/<chain_id>": {"GET": by("T"), "DELETE": by("T")},
    "api/ruleChain/<chain_id>/metadata": {"GET": by("T")},
    "api/ruleChain/<chain_id>/output/labels": {"GET": by("T")},
    "api/ruleChain/<chain_id>/output/labels/usage": {"GET": by("T")},
    "api/ruleChain/<chain_id>/root": {"POST": by("T")},
    "api/ruleChain/<edge_chain_id>/autoAssignToEdge": {"POST": by("T"), "DELETE": by("T")},
    "api/ruleChain/<edge_chain_id>/edgeTemplateRoot": {"POST": by("T")},
    "api/ruleChain/autoAssignToEdgeRuleChains": {"GET": by("T")},
    "api/ruleChain/device/default": {"POST": by("T", body={"name": "Pumps"})},
    "api/ruleChain/metadata": {"POST": by("T", body=_METADATA)},
    "api/ruleChain/tbelEnabled": {"GET": by("T")},
    "api/ruleChain/testScript": {"POST": by("T", body=_SCRIPT)},
    "api/ruleChains": {"GET": by("T", query="ruleChainIds={rule_chain}")},
    "api/ruleChains/export": {"GET": by("T", query="limit=1000")},
    "api/ruleChains/import": {"POST": by("T", body=_FILE)},
    "api/ruleChains/list": {"GET": by("T", query="ruleChainIds={rule_chain}")},
    "api/v1/ruleChains": {"GET": by("T"), "POST": by("T", body=_RESOURCE)},
    "api/v1/ruleChains/<pk>": {"GET": by("T"), "PUT": by("T", body=_RESOURCE), "DELETE": by("T")},
    "api/v1/ruleChains/<pk>/difference": {"GET": by("T")},
    "api/v1/ruleChains/<pk>/dry-run": {"POST": by("T", body=_TRIED)},
    "api/v1/ruleChains/<pk>/export": {"GET": by("T")},
    "api/v1/ruleChains/<pk>/metadata": {"GET": by("T"), "PUT": by("T", body=_INSIDE)},
    "api/v1/ruleChains/<pk>/restore": {"POST": by("T", body={"number": 1})},
    "api/v1/ruleChains/<pk>/setRoot": {"POST": by("T")},
    "api/v1/ruleChains/<pk>/versions": {"GET": by("T")},
    "api/v1/ruleChains/<pk>/versions/<number>": {"GET": by("T")},
    "api/v1/ruleChains/import": {"POST": by("T", body=_FILE)},
}

TEXTS = {"clazz": _FILTER, "component_type": "FLOW", "queue_name": "Main", "number": "1", "timeout": "1000"}


def _chain(tenant: Any, name: str, kind: str = RuleChainType.CORE, inside: Draft | None = None) -> Any:
    """An own one has no nodes: a good body may replace them."""
    found = RuleChain.objects.filter(tenant=tenant, name=name).first()
    return (found or create_chain(tenant.pk, ChainFields(name=name, type=kind), inside)).pk


def _queue(world: "World", authority: str) -> Any:
    found = Queue.objects.filter(name="Own").first()
    return (found or _make_queue("Own")).pk


def _make_queue(name: str) -> Queue:
    main = SYSTEM_QUEUES[0]
    fields = {each: getattr(main, each) for each in main.__dataclass_fields__}
    return create_queue(type(main)(**{**fields, "name": name}))


KINDS: Kinds = {
    "rule_chain": Kind(
        named=("chain_id", "ruleChains"),
        own=lambda world, _: _chain(world.cast.acme, "Own"),
        foreign=lambda world, _: _chain(world.cast.globex, "Foreign"),
        more=lambda world, n: _chain(world.cast.acme, f"Further {n}", inside=DEFAULT_CHAIN),
    ),
    "edge_chain": Kind(
        named=("edge_chain_id",),
        own=lambda world, _: _chain(world.cast.acme, "Own edge", RuleChainType.EDGE),
        foreign=lambda world, _: _chain(world.cast.globex, "Foreign edge", RuleChainType.EDGE),
        more=lambda world, n: _chain(world.cast.acme, f"Further edge {n}", RuleChainType.EDGE),
    ),
    "queue": Kind(
        named=("queue_id",),
        own=_queue,
        foreign=lambda world, _: None,  # the system's: every administrator sees all
        more=lambda world, n: _make_queue(f"Further{n}"),
    ),
}
