"""Lists of devices over ThingsBoard's REST paths."""

from typing import Any

import pytest

from telemetry import services as telemetry
from telemetry.points import Scope
from tests.cast import Cast, api, create, error


def test_devices_are_listed_in_pages_searched_and_sorted(cast: Cast) -> None:
    client = api(cast.alice)
    for name in ("b", "a", "c"):
        create(client, name=f"Pump {name}", type="pump")
    assert cast.foreign_device and cast.device
    page = client.get("/api/tenant/devices?pageSize=2&page=0&textSearch=pump&sortProperty=name&sortOrder=ASC").json()
    assert [device["name"] for device in page["data"]] == ["Pump a", "Pump b"]
    assert (page["totalPages"], page["totalElements"], page["hasNext"]) == (2, 3, True)
    last = client.get("/api/tenant/devices?pageSize=2&page=1&type=pump&sortProperty=name&sortOrder=ASC").json()
    assert [device["name"] for device in last["data"]] == ["Pump c"] and last["hasNext"] is False
    assert client.get("/api/tenant/devices?deviceName=Meter").json()["id"]["id"] == str(cast.device.pk)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "pageSize=10",
        "pageSize=0&page=0",
        "pageSize=x&page=0",
        "pageSize=9999&page=0",
        "pageSize=1&page=0&sortProperty=password",
        "pageSize=1&page=0&textSearch=%00",
        "pageSize=1&page=0&sortOrder=UP",
    ],
)
def test_a_page_that_makes_no_sense_is_refused(cast: Cast, query: str) -> None:
    assert error(api(cast.alice).get(f"/api/tenant/devices?{query}")) == (400, 31)


def test_device_infos_say_whose_and_whether_active(cast: Cast) -> None:
    client = api(cast.alice)
    telemetry.save_attributes(cast.acme.pk, cast.bobs_device.pk, Scope.SERVER, {"active": True})
    info = client.get(f"/api/device/info/{cast.bobs_device.pk}").json()
    assert (info["customerTitle"], info["customerIsPublic"]) == ("Bistro", False)
    assert (info["deviceProfileName"], info["active"]) == ("default", True)
    assert client.get(f"/api/device/info/{cast.device.pk}").json()["active"] is False
    for asked, name in (("True", "Oven"), ("false", "Meter")):
        page = client.get(f"/api/tenant/deviceInfos?pageSize=5&page=0&active={asked}&type=&deviceProfileId=").json()
        assert [device["name"] for device in page["data"]] == [name]


def test_devices_without_a_package_of_their_own_are_counted(cast: Cast) -> None:
    client, path = api(cast.alice), "/api/devices/count"
    device = create(client, name="Pump", type="pump").json()
    profile = device["deviceProfileId"]["id"]
    assert client.get(f"{path}/FIRMWARE/{profile}").json() == 1
    assert api(cast.bob).get(f"{path}/SOFTWARE/{profile}").json() == 0
    assert error(client.get(f"{path}/HARDWARE/{profile}")) == (400, 31)
    assert error(client.get(f"{path}/FIRMWARE/{cast.foreign_device.profile_id}")) == (404, 32)


def test_a_page_of_devices_costs_a_fixed_number_of_queries(cast: Cast, django_assert_max_num_queries: Any) -> None:
    client = api(cast.alice)
    for number in range(5):
        create(client, name=f"Pump {number}", type=f"type {number}")
    with django_assert_max_num_queries(4):  # key, user, count, page
        assert len(client.get("/api/tenant/deviceInfos?pageSize=10&page=0").json()["data"]) == 5
