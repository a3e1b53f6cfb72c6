"""Why does my device not connect? Asked at the API after real connects and requests."""

import asyncio
import logging
from typing import Any

import pytest
from django.conf import settings
from django.db import connections

from devices.models import Device as DeviceRow
from devices.models import DeviceProfile, Refusal
from tenants.models import Authority
from tenants.services.users import create_user
from tests.cast import api
from tests.transports.http import conftest as http
from tests.transports.mqtt.client import Device, connect, puback, publish
from tests.transports.mqtt.conftest import Front, World, from_database, serving, world
from tests.transports.mqtt.recorder import until
from thingsboard.transports import refusals as module
from thingsboard.transports.mqtt.packets import packet, string
from thingsboard.transports.refusals import RefusalLog

__all__ = ["world"]


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "TB_REFUSALS_FLUSH_SECONDS", 0.02)


async def rows(**wanted: Any) -> list[dict[str, Any]]:
    """The rows as they are, newest last."""
    return await from_database(lambda: list(Refusal.objects.filter(**wanted).order_by("pk").values()))


async def row(**wanted: Any) -> dict[str, Any]:
    """The only row, once it is written."""
    async with asyncio.timeout(5):
        while not (found := await rows(**wanted)):
            await asyncio.sleep(0.01)
    assert len(found) == 1
    return found[0]


async def refused(front: Front, first: bytes) -> None:
    device = await Device.dial(front.port)
    device.send(first)
    while await device.receive():
        pass
    await device.leave()


def administrator_of(device: DeviceRow) -> Any:
    return create_user("boss@example.com", Authority.TENANT_ADMIN, password="x" * 12, tenant=device.tenant)


async def test_a_wrong_token_is_found_by_who_knows_it_with_address_client_and_how_often(world: World) -> None:
    async with serving() as front:
        for _ in range(3):
            await refused(front, connect("A-MISTYPED-TOKEN", "boiler\n1"))
        found = await row(reason="wrong_token")
        await until(lambda: not front.server.refusals.waiting)

    def ask() -> Any:
        client = api(administrator_of(world.devices["ONE"]))
        assert client.get("/api/v1/refusals").json()["results"] == []
        asked = client.post("/api/v1/refusals/search", {"token": "A-MISTYPED-TOKEN"}, format="json").json()
        return asked["results"]

    answer = (await from_database(ask))[0]
    assert answer["count"] == 3 and answer["device"] is None
    assert (answer["transport"], answer["address"]) == ("MQTT", "127.0.0.1")
    assert (answer["client_id"], answer["token_prefix"]) == ("boiler?1", "A-MI")
    assert answer["message"] == "No device has this access token, or this client id, user name and password."
    assert found["tenant_id"] is None
    everything = repr(await rows())
    assert "MISTYPED" not in everything


async def test_what_became_of_a_user_name_is_found_only_with_its_password(world: World) -> None:
    async with serving() as front:
        await refused(front, connect("boiler-user", "boiler", password="s3cret"))
        await row()
        await until(lambda: not front.server.refusals.waiting)

    def ask() -> list[int]:
        client = api(administrator_of(world.devices["ONE"]))
        asked: list[dict[str, str]] = [
            {"token": "boiler-user"},
            {"token": "boiler-user", "password": "wrong"},
            {"token": "boiler-user", "password": "s3cret"},
        ]
        found = [client.post("/api/v1/refusals/search", each, format="json").json() for each in asked]
        return [each["count"] for each in found]

    assert await from_database(ask) == [0, 0, 1]
    assert "s3cret" not in repr(await rows())


@pytest.mark.parametrize(
    ("first", "reason"),
    [
        (connect(None, "x"), "unknown_client_id"),
        (connect(None, ""), "no_token"),
        (connect("ONE", level=6), "version"),
        (b"GET / HTTP/1.1\r\n\r\n", "first_packet"),
        (packet(0x10, string("MQTT") + b"\x04\x03\0\0" + string("x")), "connect"),
    ],
)
async def test_a_first_packet_that_is_refused_is_noted_with_its_reason(world: World, first: bytes, reason: str) -> None:
    async with serving() as front:
        await refused(front, first)
        found = await row()
    assert (found["reason"], found["address"], found["tenant_id"]) == (reason, "127.0.0.1", None)
    assert found["message"]


async def test_a_short_token_is_not_given_away_by_its_beginning(world: World) -> None:
    async with serving() as front:
        await refused(front, connect("abcdef"))
        assert (await row())["token_prefix"] == "ab"


async def test_who_never_sends_a_connect_and_who_finds_no_place_are_noted(world: World) -> None:
    async with serving(connect_timeout=0.1, max_connections=1) as front:
        silent, surplus = await Device.dial(front.port), await Device.dial(front.port)
        assert await silent.closed() and await surplus.closed()
        assert (await row(reason="connect_timeout"))["count"] == 1
        assert (await row(reason="too_many_connections"))["count"] == 1


async def test_the_probe_of_the_health_checks_is_not_noted(world: World) -> None:
    async with serving() as front:
        await refused(front, connect(None, level=127))
        await refused(front, connect("NOBODY"))
        assert (await row())["reason"] == "wrong_token"


async def test_a_device_whose_profile_wants_another_transport_belongs_to_its_tenant(world: World) -> None:
    profile = await from_database(
        lambda: DeviceProfile.objects.create(tenant=world.profile.tenant, name="COAP", transport_type="COAP")
    )
    await from_database(world.device, "COAP", profile)
    async with serving() as front:
        await refused(front, connect("COAP"))
        found = await row(reason="transport_type")
    assert (found["tenant_id"], found["device_id"]) == (profile.tenant_id, world.devices["COAP"].pk)


async def test_what_a_connected_device_did_wrong_is_noted_for_its_tenant(world: World) -> None:
    async with serving() as front:
        device = await Device.enter(front.port, "ONE")
        device.send(publish(b"{}", 1, topic="my/topic"))
        assert await device.receive() == puback(1)
        device.send(publish(b"please refuse", 2))
        assert await device.closed()
        first = await Device.enter(front.port, "TWO")
        await Device.enter(front.port, "TWO")
        assert await first.closed()
        topic, payload = await row(reason="unknown_topic"), await row(reason="payload")
        taken = await row(reason="takeover")
    assert topic["device_id"] == payload["device_id"] == world.devices["ONE"].pk
    assert "my/topic" in topic["message"] and payload["message"] == "It asks to be refused."
    assert (taken["device_id"], taken["tenant_id"]) == (world.devices["TWO"].pk, world.profile.tenant_id)


async def test_over_http_every_refusal_is_noted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "TB_HTTP_MAX_PAYLOAD", 100)
    device = world.devices["ONE"].pk
    async with http.serving() as door:
        assert (await door.post("A-WRONG-TOKEN/telemetry", b"{}")).status_code == 401
        assert (await door.post("ONE/telemetry", b"x" * 101)).status_code == 413
        broken = await door.post("ONE/telemetry", b"broken")
        assert (await door.post("ONE/nothing", b"{}")).status_code == 404
        assert (await door.get("ONE/telemetry")).status_code == 405
        wrong = await row(reason="wrong_token")
        assert (wrong["transport"], wrong["token_prefix"], wrong["address"]) == ("HTTP", "A-WR", "127.0.0.1")
        assert (await row(reason="payload_size"))["device_id"] == device
        assert (await row(reason="payload"))["message"] == broken.text
        for reason in ("resource", "method"):
            assert (await row(reason=reason))["tenant_id"] is None


async def test_a_flood_is_counted_in_a_bounded_number_of_rows(world: World) -> None:
    log = RefusalLog("MQTT")
    for number in range(5000):
        log.note("wrong_token", address=f"10.1.{number // 250}.{number % 250}", token=f"token {number}")
        assert log.waiting <= module.MOST_OF_AN_OWNER + 1
    await log.close()
    found = await rows()
    assert len(found) == module.MOST_OF_AN_OWNER + 1
    assert sum(each["count"] for each in found) == 5000
    assert [each["count"] for each in found if each["reason"] == "other"] == [5000 - module.MOST_OF_AN_OWNER]


async def test_what_cannot_be_written_is_written_when_the_database_is_back(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    at = connections["default"].settings_dict
    here = at["HOST"]
    log = RefusalLog("MQTT")
    with caplog.at_level(logging.WARNING, logger="thingsboard.transports.refusals"):
        monkeypatch.setitem(at, "HOST", "/nowhere")
        for _ in range(2):
            log.note("wrong_token", address="192.0.2.7", token="x")
        await until(lambda: log._complained)
        log.note("wrong_token", address="192.0.2.7", token="x")
        await asyncio.sleep(0.2)
        at["HOST"] = here
        await until(lambda: not log.waiting)
    await log.close()
    assert (await row())["count"] == 3
    assert len(caplog.records) == 1


async def test_closing_writes_what_is_left(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "TB_REFUSALS_FLUSH_SECONDS", 60.0)
    async with serving() as front:
        await refused(front, connect("NOBODY"))
    assert (await row())["count"] == 1
