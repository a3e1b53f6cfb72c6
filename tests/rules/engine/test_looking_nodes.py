"""The nodes that look things up, in the world as it is."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from alarms.services.alarms import create_or_update_alarm
from alarms.services.state import AlarmRequest
from devices.services.credentials import update_credentials
from rules.engine.context import BatchContext
from rules.engine.tools import Tools
from rules.node import Msg, Node
from rules.nodes.enrichment.customer_attributes import CustomerAttributes
from rules.nodes.enrichment.customer_details import CustomerDetails
from rules.nodes.enrichment.fetch_device_credentials import FetchDeviceCredentials
from rules.nodes.enrichment.tenant_attributes import TenantAttributes
from rules.nodes.enrichment.tenant_details import TenantDetails
from rules.nodes.filter.alarm_status_filter import AlarmStatusFilter
from rules.nodes.transformation.change_originator import ChangeOriginator
from telemetry.points import Scope
from telemetry.store.batch import introspect
from tests.cast import Cast
from tests.rules.nodes.context import message
from tests.rules.nodes.running import failed, made
from thingsboard.kernel.ids import EntityId, EntityType

pytestmark = pytest.mark.django_db


@pytest.fixture
def ctx(cast: Cast) -> Iterator[BatchContext]:
    """A batch of Acme's."""
    connection.ensure_connection()
    raw: Any = connection.connection
    tools = Tools(raw, introspect(raw))
    yield BatchContext(tools, cast.acme.pk)
    tools.close()


def run(ctx: BatchContext, kind: type[Node], msg: Msg, **configuration: Any) -> Any:
    (outcome,) = made(kind, configuration).run(ctx, [msg])
    return outcome


def of(cast: Cast, device: str = "bobs_device", data: Any = None) -> Msg:
    return message({} if data is None else data, originator=EntityId(EntityType.DEVICE, getattr(cast, device).pk))


def test_customer_and_tenant_lend_their_details_and_values(cast: Cast, ctx: BatchContext) -> None:
    cast.bistro.city, cast.bistro.additional_info = "Ulm", {"description": "Good food"}
    cast.bistro.save()
    details = {"detailsList": ["ID", "TITLE", "CITY", "ZIP", "ADDITIONAL_INFO"]}
    assert run(ctx, CustomerDetails, of(cast), **details).msg.data.value == {
        "customer_id": str(cast.bistro.pk),
        "customer_title": "Bistro",
        "customer_city": "Ulm",
        "customer_additionalInfo": "Good food",
    }
    assert run(ctx, TenantDetails, of(cast), **details).msg.data.value == {
        "tenant_id": str(cast.acme.pk),
        "tenant_title": "Acme",
    }
    ctx.save_attributes(EntityId(EntityType.CUSTOMER, cast.bistro.pk), Scope.SERVER, {"alarmThreshold": 7})
    ctx.save_points(EntityId(EntityType.TENANT, cast.acme.pk), [(5, {"t": 21.5})])
    assert run(ctx, CustomerAttributes, of(cast)).msg.metadata == {"threshold": "7"}
    mapping = {"dataMapping": {"t": "v"}, "dataToFetch": "LATEST_TELEMETRY"}
    assert run(ctx, TenantAttributes, of(cast), **mapping).msg.metadata == {"v": "21.5"}
    assert failed(run(ctx, CustomerAttributes, of(cast, "device"))) == "Originator is not assigned to any customer"
    assert failed(run(ctx, CustomerAttributes, of(cast, "foreign_device"))) == "Originator not found"


def test_credentials_are_told_in_the_clear_to_the_chains_of_their_tenant(cast: Cast, ctx: BatchContext) -> None:
    update_credentials(cast.device, "MQTT_BASIC", credentials_value='{"userName":"u","password":"p"}')
    found = run(ctx, FetchDeviceCredentials, of(cast, "device"), fetchTo="DATA").msg.data.value
    assert found == {
        "credentialsType": "MQTT_BASIC",
        "credentials": {"clientId": None, "userName": "u", "password": "p"},
    }
    assert run(ctx, FetchDeviceCredentials, of(cast)).msg.metadata["credentials"] == "bistro-oven"
    assert failed(run(ctx, FetchDeviceCredentials, of(cast, "foreign_device"))).startswith("Failed to get Device")


def test_alarms_and_names_are_those_of_the_tenant(cast: Cast, ctx: BatchContext) -> None:
    def alarm(device: Any) -> dict[str, Any]:
        about = EntityId(EntityType.DEVICE, device.pk)
        made = create_or_update_alarm(AlarmRequest(device.tenant_id, about, "Hot", "MINOR"))
        return {"id": {"entityType": "ALARM", "id": str(made.id)}}

    mine, foreign = alarm(cast.device), alarm(cast.foreign_device)
    assert run(ctx, AlarmStatusFilter, of(cast, data=mine)).relation == "True"
    ctx.alarms.load([(EntityId(EntityType.DEVICE, cast.device.pk), "Hot")])
    ctx.alarms.clear(EntityId(EntityType.DEVICE, cast.device.pk), "Hot", None, 9)
    assert run(ctx, AlarmStatusFilter, of(cast, data=mine)).relation == "False"
    assert failed(run(ctx, AlarmStatusFilter, of(cast, data=foreign))) == "No such alarm found."
    about = {"originatorSource": "ALARM_ORIGINATOR"}
    changed = run(ctx, ChangeOriginator, message({}, originator=EntityId.from_json(mine["id"])), **about)
    assert changed.msg.originator.id == cast.device.pk
    gone = run(ctx, ChangeOriginator, message({}, originator=EntityId.from_json(foreign["id"])), **about)
    assert failed(gone) == "Failed to find new originator!"
    named = {"originatorSource": "ENTITY", "entityType": "DEVICE", "entityNamePattern": "$[name]"}
    assert run(ctx, ChangeOriginator, of(cast, data={"name": "Meter"}), **named).msg.originator.id == cast.device.pk
    assert run(ctx, ChangeOriginator, of(cast)).msg.originator == EntityId(EntityType.CUSTOMER, cast.bistro.pk)
