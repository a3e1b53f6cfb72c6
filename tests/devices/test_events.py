"""What the rule chains hear of deeds: with the transaction that does them, as ThingsBoard says it, and without secrets."""

from copy import deepcopy
from typing import Any

import orjson
import pytest
from django.db import transaction

from devices.models import Device, RpcStatus
from devices.services import asset_profiles, assets, devices, profiles, relations, rpcs
from devices.services.assets import AssetFields
from devices.services.devices import DeviceFields
from tenants.services.tenants import delete_tenant
from tenants.services.users import create_user
from tests.cast import Cast, api, create
from tests.queued import body, newly_queued, queued
from tests.verbs import VERBS, World
from tests.verbs.world import HOUR
from thingsboard.kernel.ids import EntityId, EntityType
from thingsboard.kernel.time import now_ms


@pytest.mark.parametrize("name", VERBS)
def test_an_event_is_queued_with_its_deed_and_never_without(cast: Cast, name: str) -> None:
    verb, world = VERBS[name], World(cast)
    with newly_queued() as none, pytest.raises(RuntimeError), transaction.atomic():
        verb.do(deepcopy(world))  # what Django deletes has no id any more, rolled back or not
        raise RuntimeError
    assert none == []
    with newly_queued(cast.acme.pk) as found:
        verb.do(deepcopy(world))
    told = [f"{message.type} {message.originator.type}" for message in found]
    assert sorted(told) == sorted(verb.events) and verb.done(world)


def test_an_event_says_who_did_what_with_what(cast: Cast) -> None:
    cast.alice.first_name = "Alice"
    cast.alice.save()
    with newly_queued(cast.acme.pk) as found:
        made = create(api(cast.alice), name="Pump", type="default", label="blue").json()
    (message,) = found
    assert (message.type, str(message.originator.id), message.customer_id) == (
        "ENTITY_CREATED",
        made["id"]["id"],
        None,
    )
    assert message.metadata == {
        "userId": str(cast.alice.pk),
        "userName": "alice@acme.example",
        "userEmail": "alice@acme.example",
        "userFirstName": "Alice",
        "entityName": "Pump",
        "entityType": "DEVICE",
    }
    assert body(message) == made


def test_assignments_name_the_customer(cast: Cast) -> None:
    client, path = api(cast.alice), f"/api/customer/{cast.bistro.pk}/device/{cast.device.pk}"
    with newly_queued(cast.acme.pk) as found:
        given = client.post(path).json()
        client.delete(f"/api/customer/device/{cast.device.pk}")
    assigned, unassigned = found
    assert body(assigned) == given
    assert (assigned.customer_id, unassigned.customer_id) == (cast.bistro.pk, cast.bistro.pk)
    for message, prefix in ((assigned, "assigned"), (unassigned, "unassigned")):
        told = message.metadata or {}
        assert (told[f"{prefix}CustomerId"], told[f"{prefix}CustomerName"]) == (str(cast.bistro.pk), "Bistro")
        assert told["customerId"] == str(cast.bistro.pk)
    assert body(unassigned)["customerId"] != body(assigned)["customerId"]


def test_a_deed_that_fails_is_no_event(cast: Cast) -> None:
    assert cast.device
    with newly_queued() as found:
        assert create(api(cast.alice), name="Meter").status_code == 400
        assert api(cast.gina).delete(f"/api/device/{cast.device.pk}").status_code == 404
    assert found == []


def test_events_go_to_the_queue_of_the_profile(cast: Cast) -> None:
    profile = profiles.create_profile(cast.acme.pk, "valve", default_queue_name="HighPriority")
    devices.create_device(cast.acme.pk, DeviceFields(name="Valve", profile_id=profile.pk))
    line = asset_profiles.create_asset_profile(cast.acme.pk, "line", default_queue_name="SequentialByOriginator")
    assets.create_asset(cast.acme.pk, AssetFields(name="Line", profile_id=line.pk))
    queues = {(message.originator.type, queue) for queue, message in queued(cast.acme.pk)}
    assert {("DEVICE", "HighPriority"), ("ASSET", "SequentialByOriginator"), ("USER", "Main")} <= queues
    device = Device.objects.get(name="Valve")
    rpcs.create_rpc(device, {"method": "x"}, expiration_time=now_ms() + HOUR)
    assert [queue for queue, message in queued() if message.type == "RPC_QUEUED"] == ["HighPriority"]


def test_events_tell_no_secrets(cast: Cast) -> None:
    secret = "do-not-tell"
    data = {"provisionConfiguration": {"type": "DISABLED", "provisionDeviceSecret": secret}}
    profile = profiles.create_profile(cast.acme.pk, "p", profile_data=data, provision_device_key=secret)
    snmp: dict[str, Any] = {
        "transportConfiguration": {"type": "SNMP", "community": secret, "privacyPassphrase": secret}
    }
    made = devices.create_device(cast.acme.pk, DeviceFields(name="S", device_data=snmp), token=secret)
    devices.delete_device(made)
    profiles.delete_profile(profile)
    create_user("new@acme.example", cast.alice.authority, password=secret, tenant=cast.acme)
    told = queued(cast.acme.pk)
    assert {"ENTITY_CREATED", "ENTITY_DELETED"} <= {message.type for _, message in told}
    assert not [message for _, message in told if secret in str(message)]
    told_data = [body(message)["deviceData"] for _, message in told if message.originator.type == "DEVICE"]
    assert told_data[0]["transportConfiguration"]["type"] == "SNMP"


def test_relation_events_go_to_both_ends_with_the_relation(cast: Cast) -> None:
    world = World(cast)
    with newly_queued(cast.acme.pk) as found:
        relations.save_relation(cast.acme.pk, world.key, additional_info={"wall": 1})
    assert {message.originator for message in found} == set(world.ends)
    assert body(found[0]) == body(found[1])
    assert body(found[0]) == {
        "from": world.ends[0].to_json(),
        "to": world.ends[1].to_json(),
        "type": "Contains",
        "typeGroup": "COMMON",
        "version": 1,
        "additionalInfo": {"wall": 1},
    }
    with newly_queued(cast.acme.pk) as again:
        relations.save_relation(cast.acme.pk, world.key, additional_info={"wall": 1})
    assert again == []  # nothing has changed


def test_a_command_is_told_of_at_every_step(cast: Cast) -> None:
    with newly_queued(cast.acme.pk) as found:
        rpc = rpcs.create_rpc(cast.device, {"method": "x", "params": 1}, expiration_time=now_ms() + HOUR)
        for status in (RpcStatus.SENT, RpcStatus.DELIVERED, RpcStatus.DELIVERED):
            rpcs.change_status(rpc.pk, status)
        rpcs.change_status(rpc.pk, RpcStatus.SUCCESSFUL, response={"done": True})
        rpcs.delete_rpc(rpc)
    found = [message for message in found if message.type.startswith("RPC")]
    assert [message.type.removeprefix("RPC_") for message in found] == [
        "QUEUED",
        "SENT",
        "DELIVERED",
        "SUCCESSFUL",
        "DELETED",
    ]
    assert all(message.originator == EntityId(EntityType.DEVICE, cast.device.pk) for message in found)
    assert orjson.loads(found[3].data)["response"] == {"done": True}
    assert [body(message)["status"] for message in found] == [message.type[4:] for message in found]


def test_what_a_deleted_tenant_loses_is_told_to_nobody(cast: Cast) -> None:
    world = World(cast)
    with newly_queued() as found:
        delete_tenant(world.cast.acme)
        create_user("root@example.com", cast.sam.authority)
    assert found == []
