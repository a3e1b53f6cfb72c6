"""What the rule chains hear of deeds: with the transaction that does them, as ThingsBoard says it, and without secrets."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import orjson
import pytest
from django.db import transaction

from devices.models import Device, RpcStatus
from devices.services import asset_profiles, assets, assignments, devices, entity_views, profiles, relations, rpcs
from devices.services.assets import AssetFields
from devices.services.devices import DeviceFields
from devices.services.relations import RelationKey
from tenants.services.customers import create_customer, delete_customer, update_customer
from tenants.services.tenants import delete_tenant
from tenants.services.users import UserFields, create_user, delete_user, update_user
from tests.cast import Cast, api, create
from tests.devices.test_entity_views import of
from tests.queued import body, newly_queued, queued
from thingsboard.kernel.ids import EntityId, EntityType
from thingsboard.kernel.time import now_ms

HOUR = 3_600_000


class World:
    """One of everything, made before anybody listens."""

    def __init__(self, cast: Cast) -> None:
        self.cast, self.device, self.bistro, self.bob = cast, cast.device, cast.bistro, cast.bob
        self.tenant = cast.acme.pk
        self.asset = assets.create_asset(self.tenant, AssetFields(name="Hall"))
        self.view = entity_views.create_view(self.tenant, of(self.device))
        self.profile = profiles.create_profile(self.tenant, "valve")
        self.asset_profile = asset_profiles.create_asset_profile(self.tenant, "line")
        self.ends = EntityId(EntityType.ASSET, self.asset.pk), EntityId(EntityType.DEVICE, self.device.pk)
        self.key = RelationKey(self.ends[0], "Contains", self.ends[1])
        self.rpc = rpcs.create_rpc(self.device, {"method": "x"}, expiration_time=now_ms() + HOUR)

    def relate(self) -> None:
        relations.save_relation(self.tenant, self.key)


Verb = Callable[[World], object]

VERBS: dict[str, tuple[Verb, list[str]]] = {
    "create device": (lambda w: devices.create_device(w.tenant, DeviceFields(name="New")), ["ENTITY_CREATED DEVICE"]),
    "create device with a new type": (
        lambda w: devices.create_device(w.tenant, DeviceFields(name="New", type="pump")),
        ["ENTITY_CREATED DEVICE_PROFILE", "ENTITY_CREATED DEVICE"],
    ),
    "update device": (lambda w: devices.update_device(w.device, DeviceFields(name="Old")), ["ENTITY_UPDATED DEVICE"]),
    "delete device": (lambda w: devices.delete_device(w.device), ["ENTITY_DELETED DEVICE"]),
    "assign device": (lambda w: assignments.assign(w.device, w.bistro), ["ENTITY_ASSIGNED DEVICE"]),
    "unassign device": (
        lambda w: assignments.unassign(assignments.assign(w.device, w.bistro)),
        ["ENTITY_ASSIGNED DEVICE", "ENTITY_UNASSIGNED DEVICE"],
    ),
    "publish device": (lambda w: assignments.publish(w.device), ["ENTITY_CREATED CUSTOMER", "ENTITY_ASSIGNED DEVICE"]),
    "create profile": (lambda w: profiles.create_profile(w.tenant, "new"), ["ENTITY_CREATED DEVICE_PROFILE"]),
    "update profile": (lambda w: profiles.update_profile(w.profile, "tap"), ["ENTITY_UPDATED DEVICE_PROFILE"]),
    "delete profile": (lambda w: profiles.delete_profile(w.profile), ["ENTITY_DELETED DEVICE_PROFILE"]),
    "set default profile": (
        lambda w: profiles.set_default_profile(w.profile),
        ["ENTITY_UPDATED DEVICE_PROFILE", "ENTITY_UPDATED DEVICE_PROFILE"],
    ),
    "create asset": (lambda w: assets.create_asset(w.tenant, AssetFields(name="New")), ["ENTITY_CREATED ASSET"]),
    "update asset": (lambda w: assets.update_asset(w.asset, AssetFields(name="Old")), ["ENTITY_UPDATED ASSET"]),
    "delete asset": (lambda w: assets.delete_asset(w.asset), ["ENTITY_DELETED ASSET"]),
    "assign asset": (lambda w: assignments.assign(w.asset, w.bistro), ["ENTITY_ASSIGNED ASSET"]),
    "create asset profile": (
        lambda w: asset_profiles.create_asset_profile(w.tenant, "new"),
        ["ENTITY_CREATED ASSET_PROFILE"],
    ),
    "update asset profile": (
        lambda w: asset_profiles.update_asset_profile(w.asset_profile, "belt"),
        ["ENTITY_UPDATED ASSET_PROFILE"],
    ),
    "delete asset profile": (
        lambda w: asset_profiles.delete_asset_profile(w.asset_profile),
        ["ENTITY_DELETED ASSET_PROFILE"],
    ),
    "set default asset profile": (
        lambda w: asset_profiles.set_default_asset_profile(w.asset_profile),
        ["ENTITY_UPDATED ASSET_PROFILE", "ENTITY_UPDATED ASSET_PROFILE"],
    ),
    "create view": (lambda w: entity_views.create_view(w.tenant, of(w.device, "New")), ["ENTITY_CREATED ENTITY_VIEW"]),
    "update view": (lambda w: entity_views.update_view(w.view, of(w.device, "Old")), ["ENTITY_UPDATED ENTITY_VIEW"]),
    "delete view": (lambda w: entity_views.delete_view(w.view), ["ENTITY_DELETED ENTITY_VIEW"]),
    "assign view": (lambda w: assignments.assign(w.view, w.bistro), ["ENTITY_ASSIGNED ENTITY_VIEW"]),
    "save relation": (
        lambda w: w.relate(),
        ["RELATION_ADD_OR_UPDATE ASSET", "RELATION_ADD_OR_UPDATE DEVICE"],
    ),
    "delete relation": (
        lambda w: (w.relate(), relations.delete_relation(w.tenant, w.key)),
        [f"{event} {end}" for event in ("RELATION_ADD_OR_UPDATE", "RELATION_DELETED") for end in ("ASSET", "DEVICE")],
    ),
    "delete relations": (
        lambda w: relations.delete_relations(w.tenant, w.ends[1]),
        ["RELATIONS_DELETED DEVICE"],
    ),
    "create rpc": (
        lambda w: rpcs.create_rpc(w.device, {"method": "y"}, expiration_time=now_ms() + HOUR),
        ["RPC_QUEUED DEVICE"],
    ),
    "change rpc": (lambda w: rpcs.change_status(w.rpc.pk, RpcStatus.SENT), ["RPC_SENT DEVICE"]),
    "delete rpc": (lambda w: rpcs.delete_rpc(w.rpc), ["RPC_DELETED DEVICE"]),
    "create customer": (lambda w: create_customer(w.cast.acme, "New"), ["ENTITY_CREATED CUSTOMER"]),
    "update customer": (lambda w: update_customer(w.bistro, "Old"), ["ENTITY_UPDATED CUSTOMER"]),
    "delete customer": (lambda w: delete_customer(w.bistro), ["ENTITY_DELETED CUSTOMER"]),
    "create user": (
        lambda w: create_user("new@acme.example", w.cast.alice.authority, tenant=w.cast.acme),
        ["ENTITY_CREATED USER"],
    ),
    "update user": (lambda w: update_user(w.bob, UserFields("rob@bistro.example")), ["ENTITY_UPDATED USER"]),
    "delete user": (lambda w: delete_user(w.bob, by=w.cast.alice), ["ENTITY_DELETED USER"]),
}


@pytest.mark.parametrize("name", VERBS)
def test_an_event_is_queued_with_its_deed_and_never_without(cast: Cast, name: str) -> None:
    verb, expected = VERBS[name]
    world = World(cast)
    with newly_queued() as none, pytest.raises(RuntimeError), transaction.atomic():
        verb(deepcopy(world))  # what Django deletes has no id any more, rolled back or not
        raise RuntimeError
    assert none == []
    with newly_queued(cast.acme.pk) as found:
        verb(world)
    told = [f"{message.type} {message.originator.type}" for message in found]
    assert sorted(told) == sorted(expected)


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
