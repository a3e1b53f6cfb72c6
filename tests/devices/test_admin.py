"""Devices in the operators' admin: who sees which, what is shown of them, and that only services write."""

import json
import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from devices.models import Device, DeviceProfile, Refusal
from devices.services.credentials import update_credentials
from devices.services.devices import DeviceFields, create_device
from devices.services.groups import create_device_group
from devices.services.shares import share_with, shares_of
from telemetry import services as telemetry
from telemetry.models import Erasure
from tenants.models import AuditLog, User
from tests.cast import Cast, api
from tests.devices.test_refusals import refuse
from thingsboard.kernel.entities import Action
from thingsboard.kernel.time import now_ms

DEVICES = "/admin/devices/device/"
SCRIPT = "<script>alert(1)</script>"
ESCAPED = "&lt;script&gt;alert(1)&lt;/script&gt;"


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def page_of(device: Device, name: str = "change") -> str:
    return reverse(f"admin:devices_device_{name}", args=[device.pk])


def deeds(device_id: uuid.UUID) -> list[tuple[str, uuid.UUID | None]]:
    rows = AuditLog.objects.filter(entity_id=device_id).order_by("created_time", "id")
    return [(row.action, row.user_id) for row in rows]


def form(device: Device, **changed: Any) -> dict[str, Any]:
    fields = {"name": device.name, "label": device.label, "profile": device.profile_id, "read_version": device.version}
    return {**fields, "customer": device.customer_id or "", **changed}


def test_a_tenant_administrator_sees_its_own_devices_alone(cast: Cast) -> None:
    alice = browser(cast.alice)
    create_device(cast.globex.pk, DeviceFields(name="Globex Pump"))
    assert cast.device.name in alice.get(DEVICES).text and "Globex" not in alice.get(DEVICES).text
    assert "Pump" not in alice.get(DEVICES + "?q=Globex").text
    for name in ("change", "delete", "history", "connect", "shares"):
        assert alice.get(page_of(cast.foreign_device, name)).status_code == 404, name
    assert alice.post(page_of(cast.foreign_device), form(cast.foreign_device, name="x")).status_code == 404
    assert alice.post(page_of(cast.foreign_device, "connect"), {"token": "mine"}).status_code == 404
    assert alice.post(page_of(cast.foreign_device, "delete"), {"post": "yes"}).status_code == 404


def test_the_users_of_customers_are_not_let_in(cast: Cast) -> None:
    answer = browser(cast.bob).get(DEVICES)
    assert (answer.status_code, answer["Location"].split("?")[0]) == (302, "/admin/login/")


def test_who_runs_the_installation_looks_at_all_devices_and_changes_none(cast: Cast) -> None:
    sam = browser(cast.sam)
    names = [cast.device.name, create_device(cast.globex.pk, DeviceFields(name="Globex Pump")).name]
    listed = sam.get(DEVICES).text
    assert all(name in listed for name in names)
    page = sam.get(page_of(cast.device))
    assert page.status_code == 200 and "acme-meter" not in page.text and "Token and commands" not in page.text
    assert sam.get(page_of(cast.device, "connect")).status_code == 404
    assert sam.post(page_of(cast.device), form(cast.device, name="x")).status_code == 403
    assert sam.get(DEVICES + "add/").status_code == 403
    assert "CREDENTIALS_READ" not in dict(deeds(cast.device.pk))


def test_a_device_is_made_and_its_token_shown_which_is_in_the_log(cast: Cast) -> None:
    alice = browser(cast.alice)
    made = alice.post(DEVICES + "add/", {"name": "Pump", "label": "Cellar"})
    device = Device.objects.get(tenant=cast.acme, name="Pump")
    assert (made.status_code, made["Location"]) == (302, page_of(device, "connect"))
    assert [action for action, _ in deeds(device.pk)] == ["ADDED"]
    shown = alice.get(made["Location"])
    token = device.credentials.credentials_id
    assert f'id="token">{token}</pre>' in shown.text
    assert f"-u {token} -m" in shown.text and f"/api/v1/{token}/telemetry" in shown.text
    assert "no-store" in shown["Cache-Control"]
    assert deeds(device.pk)[1:] == [("CREDENTIALS_READ", cast.alice.pk)]
    assert token not in alice.get(page_of(device)).text


def test_what_the_service_refuses_stands_in_the_form_and_nothing_is_made(cast: Cast) -> None:
    answer = browser(cast.alice).post(DEVICES + "add/", {"name": cast.device.name, "token": "a-new-one"})
    assert answer.status_code == 200 and "Device with such name already exists!" in answer.text
    assert "a-new-one" in answer.text
    assert Device.objects.filter(tenant=cast.acme).count() == 1
    taken = browser(cast.alice).post(DEVICES + "add/", {"name": "New", "token": "acme-meter"})
    assert "already assigned to another device" in taken.text
    assert not Device.objects.filter(name="New").exists()


def test_a_foreign_profile_or_customer_cannot_be_chosen(cast: Cast) -> None:
    foreign = DeviceProfile.objects.get(tenant=cast.globex, is_default=True)
    answer = browser(cast.alice).post(DEVICES + "add/", {"name": "New", "profile": foreign.pk})
    assert answer.status_code == 200 and "Select a valid choice" in answer.text
    assert not Device.objects.filter(name="New").exists()
    found = (
        browser(cast.alice)
        .get("/admin/autocomplete/?app_label=devices&model_name=device&field_name=profile&term=")
        .json()
    )
    assert [each["id"] for each in found["results"]] == [
        str(DeviceProfile.objects.get(tenant=cast.acme, is_default=True).pk)
    ]
    filtered = browser(cast.gina).get(f"{DEVICES}?customer__id__exact={cast.bistro.pk}").text
    assert "Bistro" not in filtered


def test_a_change_keeps_what_the_form_does_not_show_and_assigns_to_a_customer(cast: Cast) -> None:
    info = {"gateway": False, "description": "old"}
    device = create_device(cast.acme.pk, DeviceFields(name="Pump", additional_info=info))
    alice = browser(cast.alice)
    answer = alice.post(page_of(device), form(device, label="Attic", customer=cast.bistro.pk, tenant=cast.globex.pk))
    assert answer.status_code == 302
    device.refresh_from_db()
    assert (device.label, device.customer, device.tenant) == ("Attic", cast.bistro, cast.acme)
    assert device.additional_info == info
    assert [action for action, _ in deeds(device.pk)] == ["ADDED", "UPDATED", "ASSIGNED_TO_CUSTOMER"]
    assert alice.post(page_of(device), form(device, customer="")).status_code == 302
    assert Device.objects.get(pk=device.pk).customer is None
    outdated = alice.post(page_of(device), form(device, label="Lost", read_version=1))
    assert outdated.status_code == 200 and "changed by someone else" in outdated.text


def test_a_new_token_replaces_the_old_one(cast: Cast) -> None:
    alice = browser(cast.alice)
    assert alice.post(page_of(cast.device, "connect"), {"token": ""}).status_code == 302
    cast.device.credentials.refresh_from_db()
    assert cast.device.credentials.credentials_id != "acme-meter"
    assert ("CREDENTIALS_UPDATED", cast.alice.pk) in deeds(cast.device.pk)
    refused = alice.post(page_of(cast.device, "connect"), {"token": "a b"}, follow=True)
    assert "holds a blank" in refused.text


def test_a_deleted_device_is_erased_in_the_background(cast: Cast) -> None:
    alice, key = browser(cast.alice), cast.device.pk
    assert cast.device.name in alice.get(page_of(cast.device, "delete")).text
    answer = alice.post(page_of(cast.device, "delete"), {"post": "yes"}, follow=True)
    assert answer.status_code == 200 and "removed in the background" in answer.text
    assert not Device.objects.filter(pk=key).exists() and Erasure.objects.filter(entity_id=key).exists()
    assert deeds(key)[-1] == ("DELETED", cast.alice.pk)
    assert str(key) in alice.get("/admin/telemetry/erasure/").text
    assert str(key) not in browser(cast.gina).get("/admin/telemetry/erasure/").text


def test_values_are_shown_on_pages_and_as_a_chart(cast: Cast) -> None:
    now = now_ms()
    many = {f"key{number:03}": number for number in range(30)}
    telemetry.save(
        cast.acme.pk, cast.device.pk, [(now - 60_000, {"temperature": 19}), (now, {**many, "temperature": 23.5})]
    )
    alice, path = browser(cast.alice), page_of(cast.device)
    first, second = alice.get(path).text, alice.get(path + "?page=2").text
    assert "key000" in first and "key029" not in first and "key029" in second and "23.5" in second
    chart = alice.get(path + "?key=temperature&window=1h").text
    assert "<polyline" in chart and chart.count("<circle") == 2
    assert "No numbers" in alice.get(path + "?key=nothing&window=forever").text


def test_names_and_values_are_text_and_no_markup(cast: Cast) -> None:
    device = create_device(cast.acme.pk, DeviceFields(name=SCRIPT, label=SCRIPT), token="<b>token'\"")
    telemetry.save(cast.acme.pk, device.pk, [(now_ms(), {"<i>key": SCRIPT, "<u>number": 1})])
    refuse(device, client_id=SCRIPT)
    create_device_group(cast.acme.pk, SCRIPT)
    alice = browser(cast.alice)
    paths = [
        DEVICES,
        page_of(device) + "?key=%3Cu%3Enumber",
        page_of(device, "connect"),
        page_of(device, "delete"),
        page_of(device, "shares"),
        "/admin/devices/refusal/",
        "/admin/devices/devicegroup/",
        "/admin/tenants/auditlog/",
    ]
    for path in paths:
        page = alice.get(path, follow=True).text
        assert SCRIPT not in page and ESCAPED in page, path
        assert browser(cast.sam).get(path, follow=True).text.count(SCRIPT) == 0, path
        assert "<i>key" not in page and "<b>token" not in page and "<u>number" not in page, path


def test_what_was_typed_into_a_form_comes_back_as_text(cast: Cast) -> None:
    alice = browser(cast.alice)
    for path, typed in (
        (page_of(cast.device, "shares"), {"names": SCRIPT, "choice": "view"}),
        (page_of(cast.device), form(cast.device, name=SCRIPT, label="x" * 300)),
        (page_of(cast.device), form(cast.device, name=SCRIPT)),
        (DEVICES + f"?q={SCRIPT}", {}),
    ):
        page = (alice.post(path, typed, follow=True) if typed else alice.get(path)).text
        assert SCRIPT not in page and ESCAPED in page, path


def test_the_kind_of_credentials_is_shown_and_nothing_of_them(cast: Cast) -> None:
    value = json.dumps({"userName": "the-user", "password": "the-password"})
    update_credentials(cast.device, "MQTT_BASIC", credentials_value=value)
    for user in (cast.sam, cast.alice):
        for path in (DEVICES, page_of(cast.device)):
            page = browser(user).get(path)
            assert page.status_code == 200 and "MQTT_BASIC" in page.text
            assert "the-user" not in page.text and "the-password" not in page.text
    page = browser(cast.alice).get(page_of(cast.device, "connect")).text
    assert "-u the-user -P PASSWORD" in page and "the-password" not in page


def test_a_share_is_given_and_withdrawn(cast: Cast) -> None:
    alice, path = browser(cast.alice), page_of(cast.device, "shares")
    assert api(cast.bob).get(f"/api/device/{cast.device.pk}").status_code == 404
    alice.post(path, {"names": cast.bob.email, "choice": "view"})
    assert api(cast.bob).get(f"/api/device/{cast.device.pk}").status_code == 200
    assert cast.bob.email in alice.get(path).text
    alice.post(path, {"remove": f"user:{cast.bob.pk}"})
    assert api(cast.bob).get(f"/api/device/{cast.device.pk}").status_code == 404
    assert [action for action, _ in deeds(cast.device.pk)][-2:] == ["SHARED", "UNSHARED"]
    stranger = alice.post(path, {"names": cast.gina.email, "choice": "view"}, follow=True)
    assert "Nothing here is called" in stranger.text and shares_of(cast.device) == []
    assert "Expected view or control" in alice.post(path, {"names": "x", "choice": "manage"}, follow=True).text


def test_a_group_takes_devices_of_its_tenant_in(cast: Cast) -> None:
    group = create_device_group(cast.acme.pk, "Meters")
    alice, base = browser(cast.alice), f"/admin/devices/devicegroup/{group.pk}/"
    create_device(cast.globex.pk, DeviceFields(name="Pump"))
    assert "Nothing here is called" in alice.post(base + "members/", {"names": "Pump"}, follow=True).text
    alice.post(base + "members/", {"names": f"{cast.device.name}\n{cast.bobs_device.name}"})
    assert set(group.members.all()) == {cast.device, cast.bobs_device}
    alice.post(base + "members/", {"remove": str(cast.device.pk)})
    assert set(group.members.all()) == {cast.bobs_device}
    share_with(group, cast.bob, Action.VIEW)
    assert "may look" in alice.get(base + "shares/").text
    for name in ("members/", "shares/", "change/"):
        assert browser(cast.gina).get(base + name).status_code == 404


def test_refusals_are_each_tenants_own(cast: Cast) -> None:
    refuse(cast.device, client_id="acmes-client")
    refuse(cast.foreign_device, client_id="globex-client")
    [row] = Refusal.objects.filter(tenant=cast.globex)
    listed = browser(cast.alice).get("/admin/devices/refusal/").text
    assert "acmes-client" in listed and "globex-client" not in listed
    assert browser(cast.alice).get(f"/admin/devices/refusal/{row.pk}/change/").status_code == 404
    both = browser(cast.sam).get("/admin/devices/refusal/?transport=MQTT").text
    assert "acmes-client" in both and "globex-client" in both


def test_a_refusal_outlives_its_device(cast: Cast) -> None:
    refuse(cast.device, client_id="the-client")
    alice = browser(cast.alice)
    alice.post(page_of(cast.device, "delete"), {"post": "yes"})
    refuse(cast.device, client_id="a-late-one")
    assert "a-late-one" in alice.get("/admin/devices/refusal/").text
    for row in Refusal.objects.all():
        assert alice.get(f"/admin/devices/refusal/{row.pk}/change/").status_code == 200


def test_what_no_text_can_hold_is_a_bad_request(cast: Cast) -> None:
    alice = browser(cast.alice)
    for path in (page_of(cast.device) + "?key=%00", "/admin/devices/refusal/?transport=%00", DEVICES + "?q=%00"):
        assert alice.get(path).status_code == 400, path
    assert alice.post(page_of(cast.device, "shares"), {"names": "\0", "choice": "view"}).status_code == 400
    assert alice.post(page_of(cast.device, "connect"), {"token": "\0"}).status_code == 400


@pytest.mark.parametrize("lookup", ["credentials__lookup", "profile__provision_device_key__startswith", "device_data"])
def test_columns_that_are_not_offered_cannot_be_asked_for(cast: Cast, lookup: str) -> None:
    assert browser(cast.alice).get(f"{DEVICES}?{lookup}=a").status_code == 400
