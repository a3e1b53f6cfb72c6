"""Events of rule nodes, traces and demands for them."""

from typing import TYPE_CHECKING, Any

from rules.models import EventType, RuleChain, RuleEvent, RuleNode, Trace, TraceDemand
from rules.services.traces import start_trace
from tests.contracts.contract import Kind, Kinds, Routes, by
from thingsboard.kernel.ids import NULL_UUID, EntityId, EntityType
from thingsboard.kernel.time import now_ms

if TYPE_CHECKING:
    from devices.models import Device
    from tenants.models import Tenant

_PAGE = f"tenantId={NULL_UUID}&pageSize=100&page=0"
_FILTER = {"eventType": "DEBUG_RULE_NODE", "msgType": "x", "isError": False}
_NO_DEVICES = {"S": 404}  # a system administrator sees no devices
_DEMAND = {"originator": {"entity_type": "DEVICE", "id": "{device}"}, "messages": 5, "minutes": 5}

ROUTES: Routes = {
    "api/events/<entity_type>/<entity_id>": {
        "GET": by("STC", query=_PAGE, answers=_NO_DEVICES),
        "POST": by("STC", query=_PAGE, body=_FILTER, answers=_NO_DEVICES),
    },
    "api/events/<entity_type>/<entity_id>/<type>": {"GET": by("STC", query=_PAGE, answers=_NO_DEVICES)},
    "api/events/<entity_type>/<entity_id>/clear": {"POST": by("STC", body=_FILTER, answers=_NO_DEVICES)},
    "api/ruleNode/<node_id>/debugIn": {"GET": by("T")},
    "api/v1/traces": {"GET": by("T")},
    "api/v1/traces/<pk>": {"GET": by("T")},
    "api/v1/traceDemands": {"GET": by("T"), "POST": by("T", body=_DEMAND)},
    "api/v1/traceDemands/<pk>": {"GET": by("T"), "DELETE": by("T")},
}

TEXTS = {"type": "DEBUG_RULE_NODE"}


def _node(tenant: "Tenant") -> Any:
    chain = RuleChain.objects.create(tenant=tenant, name="Chain")
    node = RuleNode.objects.create(tenant=tenant, chain=chain, type="org.example.Node", name="Node")
    _event(tenant, node, 0)
    return node.pk


def _event(tenant: "Tenant", node: RuleNode, number: int) -> Any:
    return RuleEvent.objects.create(
        tenant=tenant, created_time=now_ms(), type=EventType.DEBUG_RULE_NODE, entity_type="RULE_NODE", entity_id=node.pk,
        body={"type": "IN", "data": f'{{"n":{number}}}'},
    )  # fmt: skip


def _trace(device: "Device") -> Any:
    return Trace.objects.create(
        tenant_id=device.tenant_id, created_time=now_ms(), originator_type="DEVICE", originator_id=device.pk,
        message_id=device.pk, type="T", queue="Main", batch=1, nodes=0, wait_us=1, run_us=1, write_us=1,
        timeline={"messages": [], "steps": [], "omitted": 0},
    ).pk  # fmt: skip


def _demand(device: "Device") -> Any:
    found = TraceDemand.objects.filter(originator_id=device.pk).active().first()
    if found is None:
        found = start_trace(device.tenant_id, EntityId(EntityType.DEVICE, device.pk), messages=5, minutes=5)
    return found.pk


KINDS: Kinds = {
    "rule_node": Kind(
        named=("node_id",),
        own=lambda world, _: _node(world.cast.acme),
        foreign=lambda world, _: _node(world.cast.globex),
        more=lambda world, n: _node(world.cast.acme),
    ),
    "trace": Kind(
        named=("traces",),
        own=lambda world, _: _trace(world.cast.bobs_device),
        foreign=lambda world, _: _trace(world.cast.foreign_device),
        more=lambda world, n: _trace(world.cast.bobs_device),
    ),
    "trace_demand": Kind(
        named=("traceDemands",),
        own=lambda world, _: _demand(world.cast.bobs_device),
        foreign=lambda world, _: _demand(world.cast.foreign_device),
        more=lambda world, n: TraceDemand.objects.create(
            tenant=world.cast.acme, originator_type="DEVICE", originator_id=world.cast.device.pk, messages=1, until=n
        ),
    ),
}
