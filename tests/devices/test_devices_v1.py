"""Devices, their credentials and profiles in our own API."""

from typing import Any

import pytest

from devices.models import Device
from devices.services.groups import add_devices, create_device_group
from devices.services.profiles import create_profile
from telemetry import services as telemetry
from telemetry.points import Scope
from tests.cast import Cast, api, create
from thingsboard.kernel.ids import new_id

BOTH = pytest.mark.parametrize("base", ["/api/v1", "/api"])


def put(client: Any, path: str, **body: Any) -> Any:
    return client.put(path, body, format="json")


def names(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [row["name"] for row in answer.json()["results"]]


@BOTH
def test_a_device_is_made_read_replaced_and_deleted(cast: Cast, base: str) -> None:
    client = api(cast.alice)
    answer = create(client, f"{base}/devices", name="Pump", type="pump", label="cellar", additional_info={"a": 1})
    made = answer.json()
    assert (answer.status_code, made["name"], made["type"], made["label"]) == (201, "Pump", "pump", "cellar")
    assert (made["tenant_id"], made["customer_id"], made["active"], made["version"]) == (
        str(cast.acme.pk),
        None,
        False,
        1,
    )
    assert "credentials" not in made
    path = f"{base}/devices/{made['id']}"
    assert client.get(path).json() == made
    changed = put(client, path, name="Pump", version=1).json()
    assert (changed["label"], changed["additional_info"], changed["type"], changed["version"]) == (
        "",
        None,
        "default",
        2,
    )
    assert put(client, path, name="Pump", version=1).status_code == 409
    assert client.delete(path).status_code == 204
    gone = client.get(path)
    assert (gone.status_code, gone.json()["status_code"]) == (404, 404)


def test_a_new_device_takes_credentials_and_they_are_replaced_below_it(cast: Cast) -> None:
    client = api(cast.alice)
    given = {"credentials_type": "ACCESS_TOKEN", "credentials_id": "pump-token"}
    made = create(client, "/api/v1/devices", name="Pump", credentials=given).json()
    path = f"/api/v1/devices/{made['id']}/credentials"
    seen = client.get(path).json()
    assert (seen["credentials_type"], seen["credentials_id"], seen["version"]) == ("ACCESS_TOKEN", "pump-token", 1)
    changed = put(client, path, credentials_type="ACCESS_TOKEN", credentials_id="other-token", version=1).json()
    assert (changed["credentials_id"], changed["version"]) == ("other-token", 2)
    assert put(client, path, credentials_type="ACCESS_TOKEN", credentials_id="third", version=1).status_code == 409
    basic = put(client, path, credentials_type="MQTT_BASIC", credentials_value='{"userName": "u", "password": "p"}')
    assert basic.json()["credentials_type"] == "MQTT_BASIC"
    assert put(client, f"/api/v1/devices/{made['id']}", name="Pump", credentials=given).status_code == 400


def test_a_token_of_anybodys_device_is_refused_without_saying_whose_it_is(cast: Cast) -> None:
    assert cast.foreign_device
    given = {"credentials_type": "ACCESS_TOKEN", "credentials_id": "globex-meter"}
    path = f"/api/v1/devices/{cast.device.pk}/credentials"
    assert put(api(cast.alice), path, **given).status_code == 400
    answer = create(api(cast.alice), "/api/v1/devices", name="Pump", credentials=given)
    assert answer.status_code == 400 and "Globex" not in answer.json()["detail"]
    assert not Device.objects.filter(name="Pump").exists()


def test_credentials_are_read_by_whose_device_it_is_and_replaced_by_administrators(cast: Cast) -> None:
    path = f"/api/v1/devices/{cast.bobs_device.pk}/credentials"
    bob = api(cast.bob)
    assert bob.get(path).json()["credentials_id"] == "bistro-oven"
    assert put(bob, path, credentials_type="ACCESS_TOKEN", credentials_id="mine").status_code == 403
    assert api(cast.gina).get(path).status_code == 404


@BOTH
def test_devices_are_filtered_searched_ordered_and_paged(cast: Cast, base: str) -> None:
    client = api(cast.alice)
    for name, kind, label in (("b", "pump", "low"), ("a", "pump", "high"), ("c", "valve", "")):
        create(client, name=name, type=kind, label=label)
    assert cast.bobs_device and cast.foreign_device
    ask = f"{base}/devices?ordering=name"
    assert names(client.get(ask)) == ["Oven", "a", "b", "c"] or names(client.get(ask)) == ["a", "b", "c", "Oven"]
    assert names(client.get(f"{ask}&type=pump")) == ["a", "b"]
    assert names(client.get(f"{ask}&search=val")) == ["c"]
    assert names(client.get(f"{ask}&label=low")) == names(client.get(f"{ask}&name=b")) == ["b"]
    assert names(client.get(f"{ask}&assigned=true")) == ["Oven"]
    assert names(client.get(f"{ask}&customer_id={cast.bistro.pk}")) == ["Oven"]
    assert names(client.get(f"{ask}&assigned=false&limit=2")) == ["a", "b"]
    assert names(client.get(f"{ask}&assigned=false&limit=2&offset=2")) == ["c"]
    profile = Device.objects.get(name="c").profile_id
    assert names(client.get(f"{ask}&device_profile_id={profile}")) == ["c"]
    group = create_device_group(cast.acme.pk, "Kitchen")
    add_devices(group, [Device.objects.get(name="b").pk])
    assert names(client.get(f"{ask}&group_id={group.pk}")) == ["b"]
    telemetry.save_attributes(cast.acme.pk, cast.bobs_device.pk, Scope.SERVER, {"active": True})
    assert names(client.get(f"{ask}&active=true")) == ["Oven"]
    assert names(client.get(f"{base}/devices?ordering=-active,name&limit=1")) == ["Oven"]
    made = Device.objects.get(name="c").created_time
    assert "c" not in names(client.get(f"{ask}&until={made}"))
    assert "c" in names(client.get(f"{ask}&since={made}"))


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=1001", "limit=x", "offset=-1", "ordering=tenant", "device_profile_id=x", "active=maybe"]
)
def test_a_list_that_makes_no_sense_is_refused_in_words(cast: Cast, query: str) -> None:
    answer = api(cast.alice).get(f"/api/v1/devices?{query}")
    assert (answer.status_code, answer.json()["status_code"]) == (400, 400), answer.content
    assert query.split("=")[0].split("_")[0] in answer.json()["detail"].replace("order by", "ordering")


def test_what_is_of_another_tenant_counts_as_missing_in_filters_too(cast: Cast) -> None:
    assert cast.foreign_device
    client = api(cast.alice)
    assert names(client.get(f"/api/v1/devices?device_profile_id={cast.foreign_device.profile_id}")) == []
    assert names(client.get(f"/api/v1/devices?group_id={new_id()}")) == []
    assert names(client.get("/api/v1/devices?search=Meter")) == []


def test_device_profiles_hide_their_provisioning_from_customer_users(cast: Cast) -> None:
    profile = create_profile(cast.acme.pk, "valve", provision_device_key="secret-key")
    path = f"/api/v1/deviceProfiles/{profile.pk}"
    assert api(cast.alice).get(path).json()["provision_device_key"] == "secret-key"
    seen = api(cast.bob).get(path).json()
    assert seen["name"] == "valve" and not {"provision_device_key", "profile_data"} & seen.keys()
    assert "secret-key" not in api(cast.bob).get("/api/v1/deviceProfiles").content.decode()
    assert put(api(cast.bob), path, name="mine").status_code == 403


@BOTH
def test_a_device_profile_is_made_replaced_chosen_as_default_and_deleted(cast: Cast, base: str) -> None:
    client = api(cast.alice)
    made = create(client, f"{base}/deviceProfiles", name="valve", transport_type="MQTT").json()
    assert (made["transport_type"], made["is_default"], made["tenant_id"]) == ("MQTT", False, str(cast.acme.pk))
    path = f"{base}/deviceProfiles/{made['id']}"
    changed = put(client, path, name="valve 2", description="d").json()
    assert (changed["name"], changed["description"], changed["transport_type"]) == ("valve 2", "d", "DEFAULT")
    assert client.post(f"{path}/default").json()["is_default"] is True
    assert client.delete(path).status_code == 400  # the default one
    assert create(client, f"{base}/devices", name="V").json()["device_profile_id"] == made["id"]
    other = create(client, f"{base}/deviceProfiles", name="other").json()
    client.post(f"{base}/deviceProfiles/{other['id']}/default")
    assert client.delete(path).status_code == 400  # a device has it
    assert client.delete(f"{base}/devices/{Device.objects.get(name='V').pk}").status_code == 204
    assert client.delete(path).status_code == 204
    assert create(client, f"{base}/deviceProfiles", name="x", transport_type="PIGEON").status_code == 400
