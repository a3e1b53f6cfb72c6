"""The list of devices, and the page of one: who sees what."""

import json
import re
import uuid
from typing import Any

import pytest
from django.test import Client

from devices.models import Device
from devices.services.credentials import update_credentials
from devices.services.devices import DeviceFields, create_device
from devices.services.shares import share_with
from tenants.models import User
from tests.cast import Cast
from thingsboard.kernel.entities import Action


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="tenants.auth.backend.GuardedBackend")
    return client


def listed(user: User, **query: Any) -> list[str]:
    """The names on a page of the list."""
    answer = browser(user).get("/devices", query)
    assert answer.status_code == 200
    return [device.name for device in answer.context["found"]]


def facts(user: User, device: Device) -> dict[str, Any]:
    """What the script of the device's page is told."""
    page = browser(user).get(f"/devices/{device.pk}").content.decode()
    found = re.search(r'<script id="facts" type="application/json">(.+?)</script>', page)
    assert found
    told: dict[str, Any] = json.loads(found[1])
    return told


def test_everybody_sees_what_they_may_see(cast: Cast) -> None:
    assert cast.device and cast.bobs_device and cast.foreign_device
    assert listed(cast.alice) == ["Meter", "Oven"]
    assert listed(cast.bob) == ["Oven"]
    assert listed(cast.gina) == ["Meter"]


def test_a_device_of_somebody_else_does_not_exist(cast: Cast) -> None:
    assert browser(cast.alice).get(f"/devices/{cast.device.pk}").status_code == 200
    unknown = browser(cast.gina).get(f"/devices/{uuid.uuid4()}")
    for stranger, device in ((cast.gina, cast.device), (cast.bob, cast.device), (cast.sam, cast.device)):
        answer = browser(stranger).get(f"/devices/{device.pk}")
        assert answer.status_code == 404 and device.name not in answer.content.decode()
    assert unknown.status_code == 404 and "default-src 'none'" in unknown["Content-Security-Policy"]


def test_the_list_is_paged_and_survives_any_page_number(cast: Cast) -> None:
    for number in range(30):
        create_device(cast.acme.pk, DeviceFields(name=f"Lamp {number:02}"))
    assert len(listed(cast.alice)) == 25
    assert listed(cast.alice, page=2) == [f"Lamp {number}" for number in range(25, 30)]
    for odd in ("0", "-1", "99999999999999999999", "x", "", "9" * 5000):
        assert listed(cast.alice, page=odd)
    page = browser(cast.alice).get("/devices?search=Lamp&page=1").content.decode()
    assert 'href="?search=Lamp&amp;page=2"' in page


def test_the_list_costs_the_same_however_long_it_is(cast: Cast, django_assert_num_queries: Any) -> None:
    for number in range(10):
        create_device(cast.acme.pk, DeviceFields(name=f"Lamp {number}"))
    client = browser(cast.alice)
    with django_assert_num_queries(4):  # session, user, count, page
        client.get("/devices")


@pytest.mark.parametrize(
    ("search", "names"),
    [("met", ["Meter"]), ("KITCHEN", ["Oven"]), ("default", ["Meter", "Oven"]), ("%", []), ("\0met", ["Meter"])],
)
def test_the_search_looks_into_names_labels_and_profiles(cast: Cast, search: str, names: list[str]) -> None:
    assert cast.device
    create_device(cast.acme.pk, DeviceFields(name="Oven", label="Kitchen"))
    assert listed(cast.alice, search=search) == names


def test_what_people_typed_is_text_on_the_page(cast: Cast) -> None:
    name = "<script>alert(1)</script>"
    device = create_device(cast.acme.pk, DeviceFields(name=name, label="</script><b>"))
    for path in ("/devices", f"/devices/{device.pk}", f"/devices?search={name}"):
        page = browser(cast.alice).get(path).content.decode()
        assert name not in page and "<b>" not in page and "&lt;script&gt;" in page


def test_the_page_holds_no_token_and_says_who_may_ask_for_it(cast: Cast) -> None:
    update_credentials(cast.bobs_device, "ACCESS_TOKEN", "very-secret-token")
    share_with(cast.device, cast.bob, Action.VIEW)
    for user, device, may in (
        (cast.alice, cast.bobs_device, True),
        (cast.bob, cast.bobs_device, True),
        (cast.bob, cast.device, False),
    ):
        assert facts(user, device)["mayReadCredentials"] is may
        page = browser(user).get(f"/devices/{device.pk}").content.decode()
        assert "very-secret-token" not in page and "acme-meter" not in page


def test_the_page_knows_where_devices_reach_us(cast: Cast, settings: Any) -> None:
    told = facts(cast.alice, cast.device)
    assert (told["baseUrl"], told["mqttHost"], told["mqttPort"]) == ("http://testserver", "testserver", 1883)
    settings.TB_BASE_URL = "https://iot.example.org:8443"
    told = facts(cast.alice, cast.device)
    assert (told["baseUrl"], told["mqttHost"]) == ("https://iot.example.org:8443", "iot.example.org")
    assert (told["active"], told["lastActivity"]) == (False, None)
