"""Who may read what was refused, and that it stays bounded."""

import itertools
import uuid
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from devices.models import Device, Refusal
from devices.services.credentials import lookup_of
from devices.services.refusals import RECORD_SQL, TRIM_SQL, Kind, Noted, parameters, trim_parameters
from devices.tasks import forget_refusals
from tests.cast import PASSWORD, Cast, api
from thingsboard.kernel.time import now_ms

HOUR_MS = 3_600_000
_addresses = (f"10.0.{number // 250}.{number % 250}" for number in itertools.count())


def write(*refusals: tuple[Kind, Noted]) -> None:
    """As a transport does."""
    with connection.cursor() as cursor:
        cursor.execute(RECORD_SQL, parameters(refusals))
        cursor.execute(TRIM_SQL, trim_parameters(cursor.fetchall()))


def refuse(
    device: Device | None = None,
    *,
    token: str = "",
    reason: str = "wrong_token",
    at: int | None = None,
    client_id: str = "me",
) -> None:
    """One refusal, from an address of its own."""
    at = now_ms() if at is None else at
    tenant, key = (None, None) if device is None else (device.tenant_id, device.pk)
    lookup = lookup_of(token) if token else b""
    write(
        (Kind(tenant, key, lookup, "MQTT", next(_addresses), reason), Noted("Because.", token[:2], client_id, at, at))
    )


def read(user: Any, query: str = "") -> list[dict[str, Any]]:
    answer = api(user).get(f"/api/v1/refusals?{query}")
    assert answer.status_code == 200
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


def test_everybody_reads_what_concerns_the_devices_that_they_see(cast: Cast) -> None:
    for device in (cast.device, cast.bobs_device, cast.foreign_device, None):
        refuse(device)

    def devices(user: Any) -> list[str | None]:
        return [row["device"] and row["device"]["id"] for row in read(user)]

    assert set(devices(cast.alice)) == {str(cast.device.pk), str(cast.bobs_device.pk)}
    assert devices(cast.bob) == [str(cast.bobs_device.pk)]
    assert devices(cast.gina) == [str(cast.foreign_device.pk)]
    assert devices(cast.sam) == [None]


def test_a_refusal_says_when_whence_why_and_whose(cast: Cast) -> None:
    write(
        (
            Kind(cast.acme.pk, cast.device.pk, b"x" * 32, "HTTP", "192.0.2.7", "payload"),
            Noted("Not JSON.", "", "cli", 1000, 3000, 5),
        )
    )
    assert read(cast.alice) == [
        {
            "first_time": 1000,
            "last_time": 3000,
            "count": 5,
            "transport": "HTTP",
            "address": "192.0.2.7",
            "reason": "payload",
            "message": "Not JSON.",
            "device": {"id": str(cast.device.pk), "name": "Meter"},
            "client_id": "cli",
            "token_prefix": "",
        }
    ]


def test_the_list_is_newest_first_filtered_and_on_pages(cast: Cast) -> None:
    for number in range(5):
        refuse(cast.device, reason=f"r{number}", at=1000 + number)
    refuse(cast.bobs_device, reason="silence", at=500)
    client = api(cast.alice)
    page = client.get("/api/v1/refusals?limit=2&offset=1").json()
    assert [row["reason"] for row in page["results"]] == ["r3", "r2"]
    assert page["count"] == 6 and page["next"] and page["previous"]
    assert [row["reason"] for row in read(cast.alice, "since=1003")] == ["r4", "r3"]
    assert [row["reason"] for row in read(cast.alice, "reason=r1&transport=mqtt")] == ["r1"]
    assert [row["reason"] for row in read(cast.alice, f"device={cast.bobs_device.pk}")] == ["silence"]
    assert read(cast.alice, "transport=HTTP") == read(cast.alice, f"device={cast.foreign_device.pk}") == []


@pytest.mark.parametrize("query", ["device=17", "since=yesterday", "since=-1", "reason=%00"])
def test_a_filter_that_makes_no_sense_is_refused(cast: Cast, query: str) -> None:
    answer = api(cast.alice).get(f"/api/v1/refusals?{query}")
    assert answer.status_code == 400 and answer.json()["detail"]


def test_who_knows_the_whole_token_finds_what_became_of_it_and_of_no_other_tenants_device(cast: Cast) -> None:
    refuse(token="a-mistyped-token")
    refuse(token="another-token")
    refuse(cast.device, token="acme-meter", reason="payload")
    refuse(cast.foreign_device, token="globex-meter", reason="payload")
    client = api(cast.alice)

    def search(token: Any) -> Any:
        return client.post("/api/v1/refusals/search", {"token": token}, format="json").json()

    assert [row["token_prefix"] for row in search("a-mistyped-token")["results"]] == ["a-"]
    assert [row["device"]["name"] for row in search("acme-meter")["results"]] == ["Meter"]
    assert search("globex-meter")["results"] == search("a-mistyped")["results"] == []
    for wrong in ("", None, 17, "x" * 9000):
        assert search(wrong)["status_code"] == 400
    assert client.post("/api/v1/refusals/search", [], format="json").status_code == 400
    for user, status in ((cast.bob, 403), (cast.sam, 403), (None, 401)):
        assert api(user).post("/api/v1/refusals/search", {"token": "x"}, format="json").status_code == status


def test_tokens_cannot_be_tried_out_by_searching(cast: Cast) -> None:
    client = api(cast.alice)
    statuses = [
        client.post("/api/v1/refusals/search", {"token": uuid.uuid4().hex}, format="json").status_code
        for _ in range(31)
    ]
    assert statuses == [200] * 30 + [429]


def test_identical_refusals_within_a_window_are_one_row_and_later_ones_another(cast: Cast) -> None:
    kind = Kind(cast.acme.pk, cast.device.pk, b"", "MQTT", "192.0.2.7", "silence")
    for at in (0, 1000, HOUR_MS - 1, HOUR_MS):
        write((kind, Noted(f"At {at}.", "", "", at, at)))
    assert [(row["first_time"], row["last_time"], row["count"], row["message"]) for row in read(cast.alice)] == [
        (HOUR_MS, HOUR_MS, 1, f"At {HOUR_MS}."),
        (0, HOUR_MS - 1, 3, f"At {HOUR_MS - 1}."),
    ]


def test_each_tenant_keeps_its_newest_and_nobodys_flood_takes_nothing_from_it(cast: Cast, settings: Any) -> None:
    settings.TB_REFUSALS_PER_TENANT = 3
    refuse(cast.device, reason="first", at=1)
    for number in range(10):
        refuse(reason=f"r{number}", at=1000 + number)
        refuse(cast.foreign_device, reason=f"r{number}", at=1000 + number)
    newest = ["r9", "r8", "r7"]
    assert [row["reason"] for row in read(cast.sam)] == [row["reason"] for row in read(cast.gina)] == newest
    assert [row["reason"] for row in read(cast.alice)] == ["first"]


def test_what_is_older_than_the_retention_is_forgotten(cast: Cast, settings: Any) -> None:
    settings.TB_REFUSALS_DAYS = 2
    refuse(cast.device, reason="old", at=now_ms() - 49 * HOUR_MS)
    refuse(cast.device, reason="new", at=now_ms() - 47 * HOUR_MS)
    forget_refusals()
    assert [row["reason"] for row in read(cast.alice)] == ["new"]


def test_a_deleted_device_takes_its_refusals_along(cast: Cast) -> None:
    refuse(cast.device)
    assert api(cast.alice).delete(f"/api/device/{cast.device.pk}").status_code == 200
    assert not Refusal.objects.exists()


def test_refusals_of_a_device_that_was_deleted_meanwhile_do_not_stop_the_others(cast: Cast) -> None:
    write(
        (Kind(cast.acme.pk, uuid.uuid4(), b"", "MQTT", "192.0.2.7", "silence"), Noted("", "", "", 1, 1)),
        (Kind(cast.acme.pk, cast.device.pk, b"", "MQTT", "192.0.2.7", "silence"), Noted("", "", "", 2, 2)),
    )
    assert [row["device"] and row["device"]["name"] for row in read(cast.alice)] == ["Meter", None]


def test_the_admin_shows_a_system_administrator_all_and_changes_nothing(cast: Cast) -> None:
    refuse(token="a-mistyped-token")
    refuse(cast.device, reason="payload")
    cast.sam.set_password(PASSWORD)
    cast.sam.save()
    client = Client()
    client.force_login(cast.sam)
    listed = client.get("/admin/devices/refusal/")
    assert listed.status_code == 200
    assert b"wrong_token" in listed.content and b"payload" in listed.content
    own = Refusal.objects.get(tenant__isnull=True)
    assert client.get(f"/admin/devices/refusal/{own.pk}/change/").status_code == 200
    assert client.post(f"/admin/devices/refusal/{own.pk}/delete/", {"post": "yes"}).status_code == 403
