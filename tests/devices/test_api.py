"""Devices over ThingsBoard's REST paths."""

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from devices.models import Device, DeviceProfile
from devices.services.profiles import create_profile
from telemetry import erasure
from telemetry import services as telemetry
from telemetry.points import Scope
from tenants.models import TenantProfile
from tests.cast import Cast, api, create, error
from thingsboard.kernel.ids import NULL_UUID


def token_of(client: Any, device: Any) -> str:
    return str(client.get(f"/api/device/{device['id']['id']}/credentials").json()["credentialsId"])


def test_a_new_device_has_thingsboards_shape_and_a_random_token(cast: Cast) -> None:
    client = api(cast.alice)
    answer = create(client, name="Pump", label="cellar", additionalInfo={"description": "d"}, unknownMember=1)
    assert answer.status_code == 200
    device = answer.json()
    assert device["id"]["entityType"] == "DEVICE" and uuid.UUID(device["id"]["id"]).version == 1
    assert (device["name"], device["type"], device["label"], device["version"]) == ("Pump", "default", "cellar", 1)
    assert device["tenantId"] == {"entityType": "TENANT", "id": str(cast.acme.pk)}
    assert device["customerId"] == {"entityType": "CUSTOMER", "id": str(NULL_UUID)}
    assert device["deviceProfileId"]["entityType"] == "DEVICE_PROFILE"
    assert device["deviceData"]["configuration"] == {"type": "DEFAULT"}
    assert device["additionalInfo"] == {"description": "d"}
    assert device["firmwareId"] is None
    token = token_of(client, device)
    assert len(token) == 20 and token.isalnum()
    assert client.get(f"/api/device/{device['id']['id']}").json() == device


def test_the_access_token_of_the_query_is_taken(cast: Cast) -> None:
    client = api(cast.alice)
    device = create(client, "/api/device?accessToken=MY_TOKEN&nameConflictPolicy=FAIL", name="Pump").json()
    credentials = client.get(f"/api/device/{device['id']['id']}/credentials").json()
    assert (credentials["credentialsType"], credentials["credentialsId"]) == ("ACCESS_TOKEN", "MY_TOKEN")
    assert credentials["credentialsValue"] is None
    assert credentials["deviceId"] == device["id"] and set(credentials["id"]) == {"id"}


def test_owners_in_the_body_count_for_nothing(cast: Cast) -> None:
    device = create(
        api(cast.alice),
        name="Pump",
        tenantId={"entityType": "TENANT", "id": str(cast.globex.pk)},
        customerId={"entityType": "CUSTOMER", "id": str(cast.bistro.pk)},
    ).json()
    assert device["tenantId"]["id"] == str(cast.acme.pk)
    assert device["customerId"]["id"] == str(NULL_UUID)


def test_a_type_names_a_profile_that_is_found_or_made(cast: Cast) -> None:
    client = api(cast.alice)
    first = create(client, name="T1", type="thermostat").json()
    second = create(client, name="T2", type="thermostat").json()
    assert first["deviceProfileId"] == second["deviceProfileId"]
    assert first["type"] == "thermostat"
    assert DeviceProfile.objects.filter(tenant=cast.acme).count() == 2


def test_a_profile_of_the_own_tenant_can_be_chosen_and_no_other(cast: Cast) -> None:
    mine, theirs = create_profile(cast.acme.pk, "valve"), create_profile(cast.globex.pk, "secret")
    chosen = create(api(cast.alice), name="V", type="x", deviceProfileId={"id": str(mine.pk)})
    assert chosen.json()["type"] == "valve"
    refused = create(api(cast.alice), name="W", deviceProfileId={"id": str(theirs.pk)})
    assert error(refused) == (400, 31)
    assert "secret" not in refused.json()["message"]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({}, "Device name should be specified!"),
        ({"name": "  "}, "Device name should be specified!"),
        ({"name": 5}, "name: expected a text"),
        ({"name": "n" * 256}, "length of name must be equal or less than 255"),
        ({"name": "a\0b"}, "A NUL character cannot be stored."),
        ({"name": "x", "additionalInfo": []}, "additionalInfo: expected an object"),
        ({"name": "x", "deviceData": "y"}, "deviceData: expected an object"),
        ({"name": "x", "deviceProfileId": "y"}, "deviceProfileId: Expected an entity id"),
        ({"name": "x", "deviceProfileId": {"id": "y"}}, "deviceProfileId: Invalid UUID string: y"),
        ({"name": "x", "firmwareId": {"id": "11111111-1dd2-11b2-8080-808080808080"}}, "non-existent ota package"),
        ({"name": "x", "id": {"entityType": "ASSET", "id": "y"}}, "id: Expected entityType DEVICE, got ASSET."),
    ],
)
def test_bad_bodies_are_refused_with_a_sentence(cast: Cast, body: dict[str, Any], says: str) -> None:
    answer = create(api(cast.alice), **body)
    assert error(answer) == (400, 31)
    assert says in answer.json()["message"]
    assert not Device.objects.exists()


@pytest.mark.parametrize("body", ["[]", "{", "5", '{"name": "\\ud800"}', b"\xff"])
def test_a_body_that_is_no_json_object_is_refused(cast: Cast, body: Any) -> None:
    assert error(api(cast.alice).post("/api/device", body, content_type="application/json")) == (400, 31)


def test_a_name_is_taken_once_in_a_tenant(cast: Cast) -> None:
    assert cast.foreign_device.name == "Meter"
    assert create(api(cast.alice), name="Meter").status_code == 200
    answer = create(api(cast.alice), name="Meter")
    assert error(answer) == (400, 31)
    assert answer.json()["message"] == "Device with such name already exists!"


def test_a_taken_token_is_refused_on_the_whole_platform_without_saying_whose_it_is(cast: Cast) -> None:
    assert cast.foreign_device
    answer = create(api(cast.alice), "/api/device?accessToken=globex-meter", name="Pump")
    assert error(answer) == (400, 31)
    assert answer.json()["message"] == "Device credentials are already assigned to another device!"
    assert not Device.objects.filter(name="Pump").exists()


@pytest.mark.parametrize("token", ["provision", "devices", "ruleChains", "a/b", "a b", "t" * 33, "a\x7fb", "a\u2003b"])
def test_a_text_that_cannot_be_a_token_is_refused(cast: Cast, token: str) -> None:
    client = api(cast.alice)
    answer = client.post("/api/device", {"name": "Pump"}, format="json", query_params={"accessToken": token})
    assert error(answer) == (400, 31)


def test_a_post_with_an_id_replaces_the_device_and_keeps_its_owner_and_token(cast: Cast) -> None:
    client = api(cast.alice)
    before = client.get(f"/api/device/{cast.bobs_device.pk}").json()
    after = create(client, id=before["id"], name="Oven 2", type="oven", version=1).json()
    assert (after["name"], after["type"], after["version"]) == ("Oven 2", "oven", 2)
    assert after["customerId"] == before["customerId"]
    assert after["createdTime"] == before["createdTime"]
    assert token_of(client, after) == "bistro-oven"


def test_an_older_version_is_a_conflict_and_no_version_is_no_check(cast: Cast) -> None:
    client, key = api(cast.alice), {"entityType": "DEVICE", "id": str(cast.device.pk)}
    assert create(client, id=key, name="a", version=1).status_code == 200
    assert error(create(client, id=key, name="b", version=1)) == (409, 35)
    assert create(client, id=key, name="c").json()["version"] == 3


def test_a_deleted_device_is_gone_with_its_token_and_its_telemetry(cast: Cast) -> None:
    client, key = api(cast.alice), cast.device.pk
    telemetry.save(cast.acme.pk, key, [(1, {"t": 1})])
    telemetry.save_attributes(cast.acme.pk, key, Scope.SERVER, {"a": 1})
    answer = client.delete(f"/api/device/{key}", {}, format="json")
    assert (answer.status_code, answer.content) == (200, b"")
    gone = client.get(f"/api/device/{key}")
    assert error(gone) == (404, 32)
    assert gone.json()["message"] == f"Device with id [{key}] is not found"
    erasure.work_off()
    assert telemetry.latest(key) == {} and telemetry.attributes(key) == []
    assert create(client, "/api/device?accessToken=acme-meter", name="Meter").status_code == 200


def test_a_stranger_gets_404_whatever_it_tries(cast: Cast) -> None:
    gina, key = api(cast.gina), str(cast.device.pk)
    device_id = {"entityType": "DEVICE", "id": key}
    for path in (f"/api/device/{key}", f"/api/device/info/{key}", f"/api/device/{key}/credentials"):
        assert error(gina.get(path)) == (404, 32)
    assert error(gina.delete(f"/api/device/{key}")) == (404, 32)
    assert error(create(gina, id=device_id, name="mine")) == (404, 32)
    credentials = {"deviceId": device_id, "credentialsType": "ACCESS_TOKEN", "credentialsId": "mine"}
    assert error(create(gina, "/api/device/credentials", **credentials)) == (404, 32)
    assert error(gina.get("/api/tenant/devices?deviceName=Meter")) == (404, 32)
    assert gina.get("/api/tenant/devices?pageSize=10&page=0").json()["totalElements"] == 0


def test_a_customer_user_reads_and_edits_its_own_device_only(cast: Cast) -> None:
    bob, own, other = api(cast.bob), str(cast.bobs_device.pk), str(cast.device.pk)
    assert bob.get(f"/api/device/{own}").json()["name"] == "Oven"
    assert bob.get(f"/api/device/{own}/credentials").json()["credentialsId"] == "bistro-oven"
    assert create(bob, id={"id": own}, name="Oven", label="hot").json()["label"] == "hot"
    assert error(bob.get(f"/api/device/{other}")) == (404, 32)
    assert error(create(bob, name="New")) == (403, 20)
    assert error(bob.delete(f"/api/device/{own}")) == (403, 20)
    assert error(create(bob, "/api/device/credentials", deviceId={"id": own})) == (403, 20)
    assert error(bob.get("/api/tenant/devices?pageSize=10&page=0")) == (403, 20)


def test_a_system_administrator_has_no_business_with_devices(cast: Cast) -> None:
    assert error(api(cast.sam).get(f"/api/device/{cast.device.pk}")) == (403, 20)


def test_the_tenant_profile_limits_devices(cast: Cast) -> None:
    limits = {"configuration": {"maxDevices": 1}}
    TenantProfile.objects.filter(pk=cast.acme.profile_id).update(profile_data=limits)
    assert create(api(cast.alice), name="first").status_code == 200
    answer = create(api(cast.alice), name="second")
    assert error(answer) == (403, 41)
    assert (answer.json()["entityType"], answer.json()["limit"]) == ("DEVICE", 1)


def test_a_device_and_its_credentials_are_saved_together_or_not_at_all(cast: Cast) -> None:
    client = api(cast.alice)
    credentials = {"credentialsType": "ACCESS_TOKEN", "credentialsId": "together"}
    saved = create(client, "/api/device-with-credentials", device={"name": "P"}, credentials=credentials).json()
    assert token_of(client, saved) == "together"
    refused = create(client, "/api/device-with-credentials", device={"name": "Q"}, credentials=credentials)
    assert error(refused) == (400, 31)
    assert not Device.objects.filter(name="Q").exists()
    changed = credentials | {"credentialsId": "changed"}
    body = {"device": {"id": saved["id"], "name": "P2"}, "credentials": changed}
    assert create(client, "/api/device-with-credentials", **body).json()["name"] == "P2"
    assert token_of(client, saved) == "changed"


@pytest.mark.parametrize(
    "query",
    ["nameConflictPolicy=WHATEVER", "nameConflictPolicy=UNIQUIFY&uniquifyStrategy=X", f"uniquifySeparator={'-' * 17}"],
)
def test_an_unknown_way_to_make_names_unique_is_refused(cast: Cast, query: str) -> None:
    assert error(create(api(cast.alice), f"/api/device?{query}", name="Pump")) == (400, 31)


def test_a_taken_name_is_made_unique_on_request(cast: Cast) -> None:
    client, path = api(cast.alice), "/api/device?nameConflictPolicy=UNIQUIFY"
    counted = f"{path}&uniquifyStrategy=INCREMENTAL&uniquifySeparator=-"
    names = [create(client, counted, name="Pump").json()["name"] for _ in range(3)]
    assert names == ["Pump", "Pump-1", "Pump-2"]
    random = create(client, path, name="Pump").json()["name"]
    assert random.startswith("Pump_") and len(random) == len("Pump_") + 6
    longest = "n" * 255
    assert create(client, counted, name=longest).json()["name"] == longest
    second = create(client, counted, name=longest).json()
    assert second["name"] == "n" * 253 + "-1"
    saved = client.post(counted, second, format="json").json()  # its own name is no conflict
    assert (saved["name"], saved["version"]) == (second["name"], 2)


def test_an_id_that_is_none_is_a_bad_request(cast: Cast) -> None:
    answer = api(cast.alice).get("/api/device/12")
    assert error(answer) == (400, 31)
    assert answer.json()["message"] == "Invalid UUID string: 12"


def test_a_body_above_the_limit_is_refused_unread(cast: Cast, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    assert error(create(api(cast.alice), name="n" * 1000)) == (413, 31)


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_json_is_read_whatever_the_content_type_says(cast: Cast, content_type: str) -> None:
    answer = api(cast.alice).post("/api/device", b'{"name": "Pump"}', content_type=content_type)
    assert answer.status_code == 200 and answer.json()["name"] == "Pump"


@pytest.mark.django_db(transaction=True)
def test_of_many_that_create_the_same_device_at_once_one_succeeds() -> None:
    alice = Cast().alice
    gate = threading.Barrier(4)

    def attempt(number: int) -> int:
        gate.wait()
        try:
            return int(
                create(api(alice), f"/api/device?accessToken=T{number % 2}", name="Pump", type="new").status_code
            )
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(attempt, range(4))) == [200, 400, 400, 400]
    assert Device.objects.count() == 1
    assert DeviceProfile.objects.filter(name="new").count() == 1
