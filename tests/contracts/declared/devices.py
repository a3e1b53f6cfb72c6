"""Devices, their profiles, credentials, groups and shares, and what was refused."""

from typing import TYPE_CHECKING

from devices.services.devices import DeviceFields, create_device
from devices.services.groups import add_devices, create_device_group
from devices.services.profiles import create_profile
from devices.services.shares import share_with
from telemetry import services as telemetry
from telemetry.points import Scope
from tests.contracts.contract import Kind, Kinds, Routes, by
from thingsboard.kernel.entities import Action
from thingsboard.kernel.ids import new_id

if TYPE_CHECKING:
    from tests.contracts.world import World

_PAGE = "pageSize=100&page=0"
_DEVICE = {"name": "New", "type": "pump", "label": "l", "additionalInfo": {"a": 1}, "deviceData": {"b": {"c": 1}}}
_CREDENTIALS = {"credentialsType": "ACCESS_TOKEN", "credentialsId": "fresh-token"}
_CREDENTIALS_V1 = {"credentials_type": "ACCESS_TOKEN", "credentials_id": "fresh-token"}
_SHARE = {"user": "{customer_user}", "action": "view"}
_GROUP = {"name": "New", "additional_info": {"a": 1}}
_PROFILE = {
    "name": "New",
    "description": "d",
    "type": "DEFAULT",
    "transportType": "MQTT",
    "provisionType": "DISABLED",
    "provisionDeviceKey": "k",
    "defaultQueueName": "q",
    "profileData": {"configuration": {"type": "DEFAULT"}},
}

_THINGSBOARDS: Routes = {
    "api/customer/<customer_id>/device/<device_id>": {"POST": by("T")},
    "api/customer/<customer_id>/deviceInfos": {"GET": by("TC", query=_PAGE)},
    "api/customer/<customer_id>/devices": {"GET": by("TC", query=_PAGE)},
    "api/customer/device/<device_id>": {"DELETE": by("T")},
    "api/customer/public/device/<device_id>": {"POST": by("T")},
    # 403: without an id they make a new device, which only administrators may
    "api/device": {"POST": by("TC", body=_DEVICE, saves="device", answers={"C": 403})},
    "api/device-with-credentials": {
        "POST": by("TC", body={"device": _DEVICE, "credentials": _CREDENTIALS}, answers={"C": 403})
    },
    "api/device/<device_id>": {"GET": by("TC"), "DELETE": by("T")},
    "api/device/<device_id>/credentials": {"GET": by("TC")},
    "api/device/credentials": {
        "POST": by("T", body={"deviceId": {"entityType": "DEVICE", "id": "{device}"}, **_CREDENTIALS})
    },
    "api/device/info/<device_id>": {"GET": by("TC")},
    "api/device/types": {"GET": by("TC")},
    "api/deviceProfile": {"POST": by("T", body=_PROFILE, saves="device_profile")},
    "api/deviceProfile/<profile_id>": {"GET": by("T"), "DELETE": by("T")},
    "api/deviceProfile/<profile_id>/default": {"POST": by("T")},
    "api/deviceProfile/devices/keys/attributes": {"GET": by("T")},
    "api/deviceProfile/devices/keys/timeseries": {"GET": by("T")},
    "api/deviceProfile/names": {"GET": by("TC")},
    "api/deviceProfileInfo/<profile_id>": {"GET": by("TC")},
    "api/deviceProfileInfo/default": {"GET": by("TC")},
    "api/deviceProfileInfos": {"GET": by("TC", query=_PAGE)},
    "api/deviceProfileInfos/list": {"GET": by("T", query="deviceProfileIds={device_profile}")},
    "api/deviceProfiles": {"GET": by("T", query=_PAGE)},
    "api/devices": {"GET": by("TC", query="deviceIds={device}")},
    "api/devices/list": {"GET": by("TC", query="deviceIds={device}")},
    "api/devices/count/<package>/<profile_id>": {"GET": by("TC")},
    "api/tenant/device": {"GET": by("T", query="deviceName=Oven")},
    "api/tenant/deviceInfos": {"GET": by("T", query=_PAGE)},
    "api/tenant/devices": {"GET": by("T", query=_PAGE)},
}

_OURS: Routes = {
    "api/v1/deviceGroups": {"GET": by("TC"), "POST": by("T", body=_GROUP)},
    "api/v1/deviceGroups/<pk>": {"GET": by("TC"), "PUT": by("T", body=_GROUP), "DELETE": by("T")},
    "api/v1/deviceGroups/<pk>/members": {"GET": by("TC")},
    "api/v1/deviceGroups/<pk>/members/add": {"POST": by("T", body={"ids": ["{device}"]})},
    "api/v1/deviceGroups/<pk>/members/remove": {"POST": by("T", body={"ids": ["{device}"]})},
    "api/v1/deviceGroups/<pk>/shares": {"GET": by("T"), "POST": by("T", body=_SHARE)},
    # 404: nothing is shared with the holder of the world
    "api/v1/deviceGroups/<pk>/shares/<holder>": {"DELETE": by("T", answers={"T": 404})},
    "api/v1/deviceProfiles": {
        "GET": by("TC"),
        "POST": by("T", body={"name": "New", "description": "d", "transport_type": "MQTT", "profile_data": {"a": 1}}),
    },
    "api/v1/deviceProfiles/<pk>": {
        "GET": by("TC"),
        "PUT": by("T", body={"name": "New", "description": "d", "provision_device_key": "k"}),
        "DELETE": by("T"),
    },
    "api/v1/deviceProfiles/<pk>/default": {"POST": by("T")},
    "api/v1/devices": {
        "GET": by("TC"),
        "POST": by(
            "T",
            body={
                "name": "New",
                "type": "pump",
                "label": "l",
                "additional_info": {"a": 1},
                "credentials": _CREDENTIALS_V1,
            },
        ),
    },
    "api/v1/devices/<pk>": {
        "GET": by("TC"),
        "PUT": by("TC", body={"name": "New", "type": "pump", "device_data": {"b": 1}, "version": 1}),
        "DELETE": by("T"),
    },
    "api/v1/devices/<pk>/credentials": {"GET": by("TC"), "PUT": by("T", body=_CREDENTIALS_V1)},
    "api/v1/devices/<pk>/customer": {"PUT": by("T", body={"customer_id": "{customer}"}, gives=True), "DELETE": by("T")},
    "api/v1/devices/<pk>/shares": {"GET": by("T"), "POST": by("T", body=_SHARE)},
    "api/v1/devices/<pk>/shares/<holder>": {"DELETE": by("T", answers={"T": 404})},
    "api/v1/refusals": {"GET": by("STC")},
    "api/v1/refusals/search": {"POST": by("T", body={"token": "x"})},
}

ROUTES: Routes = {**_THINGSBOARDS, **_OURS}


def _further_device(world: "World", n: int) -> None:
    device = create_device(world.cast.acme.pk, DeviceFields(name=f"Further {n}"), customer=world.cast.bistro)
    telemetry.save_attributes(world.cast.acme.pk, device.pk, Scope.SERVER, {f"further {n}": True})
    telemetry.save(world.cast.acme.pk, world.cast.bobs_device.pk, [(n, {f"further {n}": n})])
    create_profile(world.cast.acme.pk, f"further {n}")


def _own_group(world: "World", authority: str) -> object:
    """Customer users see groups that are shared with them."""
    if authority == "C":
        share_with(world.device_group, world.cast.bob, Action.VIEW)
    return world.device_group.pk


def _further_group(world: "World", n: int) -> None:
    group = create_device_group(world.cast.acme.pk, f"Further {n}")
    holder = world.further_user(n)
    for target in (group, world.device_group, world.cast.bobs_device):
        share_with(target, holder, Action.VIEW)
    share_with(group, world.cast.bob, Action.VIEW)
    device = create_device(world.cast.acme.pk, DeviceFields(name=f"Member {n}"))
    add_devices(world.device_group, [device.pk])


KINDS: Kinds = {
    "device": Kind(
        named=("device_id", "entity_id", "devices"),
        own=lambda world, _: world.cast.bobs_device.pk,
        foreign=lambda world, _: world.cast.foreign_device.pk,
        more=_further_device,
    ),
    "device_profile": Kind(
        named=("deviceProfiles", "deviceProfile", "deviceProfileInfo", "<package>"),
        own=lambda world, _: world.device_profile.pk,
        foreign=lambda world, _: world.foreign_device_profile.pk,
    ),
    "device_group": Kind(
        named=("deviceGroups",),
        own=_own_group,
        foreign=lambda world, _: create_device_group(world.cast.globex.pk, f"Foreign {new_id()}").pk,
        more=_further_group,
    ),
}

TEXTS = {"holder": str(new_id()), "package": "FIRMWARE"}
