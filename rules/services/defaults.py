"""The chains that every tenant has from its first day (compat/rule_engine.md, "Default root rule chain of a new tenant")."""

import uuid
from typing import Any

from django.db import transaction

from rules.models import RuleChain, RuleChainType
from rules.services.chains import ChainFields, create_chain
from rules.services.draft import Connection, Draft, NodeDraft
from rules.services.epoch import raise_epoch
from rules.services.writing import insert_chain, lock_chains
from tenants.models import Tenant
from thingsboard.kernel.outbox import register_flows

ROOT_NAME = "Root Rule Chain"
EDGE_ROOT_NAME = "Edge Root Rule Chain"

_ENGINE = "org.thingsboard.rule.engine"
# The log node's own: where it finds just this, it runs no script (compat/rule_nodes.tsv).
_LOG = r"return '\nIncoming message:\n' + JSON.stringify(msg) + '\nIncoming metadata:\n' + JSON.stringify(metadata);"
_LOG_CONFIGURATION = {"scriptLang": "TBEL", "jsScript": _LOG, "tbelScript": _LOG}
_ALWAYS = {"type": "ON_EVERY_MESSAGE"}


def _node(kind: str, name: str, x: int, y: int, configuration: dict[str, Any], version: int = 0) -> NodeDraft:
    return NodeDraft(
        type=f"{_ENGINE}.{kind}",
        name=name,
        configuration=configuration,
        configuration_version=version,
        additional_info={"description": "", "layoutX": x, "layoutY": y},
    )


_NODES = (
    _node(
        "telemetry.TbMsgTimeseriesNode", "Save Timeseries", 824, 156,
        {"defaultTTL": 0, "useServerTs": False, "processingSettings": _ALWAYS}, 1,
    ),
    _node(
        "telemetry.TbMsgAttributesNode", "Save Client Attributes", 825, 52,
        {
            "processingSettings": _ALWAYS, "scope": "CLIENT_SCOPE", "notifyDevice": False,
            "sendAttributesUpdatedNotification": False, "updateAttributesOnlyOnValueChange": True,
        }, 3,
    ),
    _node("filter.TbMsgTypeSwitchNode", "Message Type Switch", 347, 149, {"version": 0}),
    _node("action.TbLogNode", "Log RPC from Device", 825, 266, _LOG_CONFIGURATION),
    _node("action.TbLogNode", "Log Other", 825, 379, _LOG_CONFIGURATION),
    _node("rpc.TbSendRPCRequestNode", "RPC Call Request", 825, 468, {"timeoutInSeconds": 60}),
)  # fmt: skip
_CONNECTIONS = (
    Connection(2, 4, "Other"),
    Connection(2, 1, "Post attributes"),
    Connection(2, 0, "Post telemetry"),
    Connection(2, 3, "RPC Request from Device"),
    Connection(2, 5, "RPC Request to Device"),
)
_EDGE_NODES = (
    *_NODES,
    _node("edge.TbMsgPushToCloudNode", "Push to cloud", 1129, 52, {"scope": "SERVER_SCOPE"}),
    _node("edge.TbMsgPushToCloudNode", "Push to cloud", 825, 557, {"scope": "SERVER_SCOPE"}),
)
_EDGE_CONNECTIONS = (
    *_CONNECTIONS,
    Connection(0, 6, "Success"),
    Connection(1, 6, "Success"),
    Connection(2, 7, "Attributes Deleted"),
    Connection(2, 7, "Attributes Updated"),
)

DEFAULT_CHAIN = Draft(_NODES, 2, _CONNECTIONS)
EDGE_CHAIN = Draft(_EDGE_NODES, 2, _EDGE_CONNECTIONS)


@transaction.atomic
def equip(tenant_id: uuid.UUID) -> None:
    """Give a tenant the root chains that it does not have, and its usual queue."""
    lock_chains(tenant_id)
    register_flows(tenant_id)
    roots = RuleChain.objects.filter(tenant_id=tenant_id, root=True)
    had = set(roots.values_list("type", flat=True))
    for kind, name, draft in (
        (RuleChainType.CORE, ROOT_NAME, DEFAULT_CHAIN),
        (RuleChainType.EDGE, EDGE_ROOT_NAME, EDGE_CHAIN),
    ):
        if kind not in had:
            insert_chain(RuleChain(tenant_id=tenant_id, name=name, type=kind, root=True), draft)
    if len(had) < len(RuleChainType):
        raise_epoch()


def equip_all() -> int:
    """Give every tenant that was there before rule chains were what it lacks; how many did."""
    for tenant_id in Tenant.objects.values_list("pk", flat=True):
        register_flows(tenant_id)
    rooted = RuleChain.objects.filter(root=True, type=RuleChainType.CORE).values("tenant_id")
    lacking = list(Tenant.objects.exclude(pk__in=rooted).values_list("pk", flat=True))
    for tenant_id in lacking:
        equip(tenant_id)
    return len(lacking)


def create_default_chain(tenant_id: uuid.UUID, name: str) -> RuleChain:
    """A chain that does what the first one of every tenant does, for a device profile. Raises BadRequest."""
    return create_chain(tenant_id, ChainFields(name=name, additional_info={"description": ""}), DEFAULT_CHAIN)
