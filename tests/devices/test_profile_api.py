"""Device profiles over ThingsBoard's REST paths."""

import uuid

import pytest

from devices.services.profiles import create_profile
from telemetry import services as telemetry
from telemetry.points import Scope
from tests.cast import Cast, api, create, error

PAGE = "pageSize=10&page=0"


def test_a_profile_is_made_read_replaced_and_deleted(cast: Cast) -> None:
    client = api(cast.alice)
    made = create(client, "/api/deviceProfile", name="valve", transportType="MQTT", description="d").json()
    assert made["id"]["entityType"] == "DEVICE_PROFILE" and made["tenantId"]["id"] == str(cast.acme.pk)
    assert (made["type"], made["transportType"], made["default"], made["version"]) == ("DEFAULT", "MQTT", False, 1)
    assert made["profileData"]["configuration"] == {"type": "DEFAULT"}
    path = f"/api/deviceProfile/{made['id']['id']}"
    assert client.get(path).json() == made
    changed = create(client, "/api/deviceProfile", **{**made, "name": "valve 2", "default": True}).json()
    assert (changed["id"], changed["name"], changed["default"], changed["version"]) == (made["id"], "valve 2", False, 2)
    assert error(create(client, "/api/deviceProfile", **made)) == (409, 35)
    device = create(client, name="V", deviceProfileId=made["id"]).json()
    assert device["type"] == "valve 2"
    assert error(client.delete(path)) == (400, 31)
    client.delete(f"/api/device/{device['id']['id']}")
    assert client.delete(path).content == b"" and error(client.get(path)) == (404, 32)


def test_there_is_one_default_profile_which_stays(cast: Cast) -> None:
    client, foreign = api(cast.alice), create_profile(cast.globex.pk, "theirs")
    made = create(client, "/api/deviceProfile", name="valve").json()
    old = client.get("/api/deviceProfileInfo/default").json()
    assert client.post(f"/api/deviceProfile/{made['id']['id']}/default").json()["default"] is True
    assert client.get("/api/deviceProfileInfo/default").json()["id"] == made["id"]
    assert client.get(f"/api/deviceProfile/{old['id']['id']}").json()["default"] is False
    assert error(client.delete(f"/api/deviceProfile/{made['id']['id']}")) == (400, 31)
    assert error(client.post(f"/api/deviceProfile/{foreign.pk}/default")) == (404, 32)
    assert api(cast.gina).get("/api/deviceProfileInfo/default").json()["name"] == "default"


@pytest.mark.parametrize(
    ("member", "value", "says"),
    [
        ("name", "", "name should be specified"),
        ("transportType", "PIGEON", "transport_type"),
        ("provisionType", "MAGIC", "provision_type"),
        ("type", "OTHER", "expected DEFAULT"),
        ("profileData", [], "expected an object"),
        ("defaultRuleChainId", {"id": "x"}, "defaultRuleChainId"),
    ],
)
def test_what_cannot_be_a_profile_is_refused_in_words(cast: Cast, member: str, value: object, says: str) -> None:
    answer = create(api(cast.alice), "/api/deviceProfile", **{"name": "valve", member: value})
    assert error(answer) == (400, 31) and says in answer.json()["message"]


def test_profiles_are_paged_named_and_their_keys_known(cast: Cast) -> None:
    client = api(cast.alice)
    create(client, "/api/deviceProfile", name="valve", transportType="COAP")
    device = create(client, name="P", type="pump").json()
    page = client.get(f"/api/deviceProfiles?{PAGE}&sortProperty=name&sortOrder=ASC").json()
    assert [row["name"] for row in page["data"]] == ["default", "pump", "valve"]
    infos = client.get(f"/api/deviceProfileInfos?{PAGE}&transportType=COAP").json()
    assert [row["name"] for row in infos["data"]] == ["valve"]
    assert [row["name"] for row in client.get("/api/deviceProfile/names").json()] == ["default", "pump", "valve"]
    assert [row["name"] for row in client.get("/api/deviceProfile/names?activeOnly=true").json()] == ["pump"]
    assert [row["type"] for row in client.get("/api/device/types").json()] == ["default", "pump", "valve"]
    key = uuid.UUID(device["id"]["id"])
    telemetry.save(cast.acme.pk, key, [(1, {"speed": 1})])
    telemetry.save_attributes(cast.acme.pk, key, Scope.SHARED, {"limit": 5})
    telemetry.save(cast.globex.pk, cast.foreign_device.pk, [(1, {"secret": 1})])
    keys = "/api/deviceProfile/devices/keys"
    assert client.get(f"{keys}/timeseries").json() == ["speed"]
    assert "limit" in client.get(f"{keys}/attributes?deviceProfileId={device['deviceProfileId']['id']}").json()
    assert error(client.get(f"{keys}/timeseries?deviceProfileId={cast.foreign_device.profile_id}")) == (404, 32)
