"""A tenant whose rule chains do not keep up is not acknowledged; everybody else is."""

import asyncio
import logging

import pytest
from django.conf import settings
from django.db import connections

from tests.transports.backlog import LIMIT, age, bounds, fill, work_off
from tests.transports.mqtt import client5
from tests.transports.mqtt.client import Device, puback, publish
from tests.transports.mqtt.conftest import World, from_database, serving
from tests.transports.mqtt.recorder import until
from tests.transports.mqtt.test_end_to_end import latest, platform, points_of
from tests.transports.mqtt.test_metrics import samples
from thingsboard.kernel.models import OutboxRow
from thingsboard.transports import backlog
from thingsboard.transports.backlog import BacklogWatch
from thingsboard.transports.mqtt import withholding
from thingsboard.transports.mqtt.flow import WITHHELD
from thingsboard.transports.mqtt.metrics import MetricsPort
from thingsboard.transports.mqtt.server import MqttServer


def held(server: MqttServer, world: World, token: str) -> bool:
    return bool(server.devices[world.devices[token].id].held & WITHHELD)


async def test_only_that_tenants_acknowledgements_are_withheld_until_its_backlog_is_gone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    bounds(monkeypatch)
    async with platform() as server:
        one, stranger = await Device.enter(server.port, "ONE"), await Device.enter(server.port, "STRANGER")
        await from_database(fill, world, "ONE")
        await until(lambda: held(server, world, "ONE"))
        one.send(b"".join(publish(b'{"n":%d}' % n, n) for n in range(1, 301)))
        stranger.send(publish(b'{"n":1}', 1))
        assert await stranger.receive() == puback(1)
        assert await one.silent(0.2)
        assert await points_of(world, "ONE") == 0
        await from_database(work_off)
        assert [await one.receive() for _ in range(300)] == [puback(n) for n in range(1, 301)]
        assert await points_of(world, "ONE") == 300 and await latest(world, "ONE") == {"n": 300}


async def test_who_connects_meanwhile_is_let_in_and_not_read(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    bounds(monkeypatch)
    async with serving() as front:
        await from_database(fill, world, "ONE")
        await until(lambda: bool(front.server.withholding.watch.over))
        three = await Device.enter(front.port, "ONE")
        five = await client5.enter(front.port, "TWO")
        stranger = await Device.enter(front.port, "STRANGER")
        three.send(publish(b"three", 1))
        five.send(client5.publish(b"five", 2))
        stranger.send(publish(b"stranger", 3))
        assert await stranger.receive() == puback(3)
        assert await three.silent() and await five.silent()
        assert front.ingest.payloads == [b"stranger"]
        await from_database(work_off)
        assert await three.receive() == puback(1)
        assert await five.receive() == puback(2)


async def test_a_backlog_that_was_there_before_the_server_is_known_to_it_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    bounds(monkeypatch)
    await from_database(fill, world, "ONE")
    for _ in range(2):
        async with serving() as front:
            device = await Device.enter(front.port, "ONE")
            assert held(front.server, world, "ONE")
            device.send(publish(b"x", 1))
            assert await device.silent()
            assert front.ingest.payloads == []


async def test_a_backlog_is_too_old_too(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    bounds(monkeypatch, seconds=600)
    async with serving() as front:
        device = await Device.enter(front.port, "ONE")
        await from_database(fill, world, "ONE", 10)
        await until(lambda: bool(front.server.withholding.watch.total.messages))
        device.send(publish(b"young", 1))
        assert await device.receive() == puback(1)
        await from_database(age, 700)
        await until(lambda: held(front.server, world, "ONE"))
        device.send(publish(b"old", 2))
        assert await device.silent()
        await from_database(work_off)
        assert await device.receive() == puback(2)


async def test_a_bit_less_is_not_enough_to_be_free(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    bounds(monkeypatch, LIMIT)
    async with serving() as front:
        await Device.enter(front.port, "ONE")
        watch = front.server.withholding.watch
        await from_database(fill, world, "ONE")
        await until(lambda: held(front.server, world, "ONE"))
        await from_database(fill, world, "ONE", int(LIMIT * 0.9))
        await until(lambda: watch.total.messages == 2)
        await from_database(_drop_the_first)
        await until(lambda: watch.total.messages == 1)
        assert watch.total.size < LIMIT and held(front.server, world, "ONE")


def _drop_the_first() -> None:
    OutboxRow.objects.filter(pk=OutboxRow.objects.order_by("pk").values("pk")[:1]).delete()


async def test_the_silence_of_who_is_not_read_does_not_end_its_connection(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    bounds(monkeypatch)
    await from_database(fill, world, "ONE")
    async with serving(idle_timeout=0.1) as front:
        device = await Device.enter(front.port, "ONE", keep_alive=0)
        stranger = await Device.enter(front.port, "STRANGER", keep_alive=0)
        assert await stranger.closed()  # as long as the other one is silent, too
        device.send(publish(b"x", 1))
        await from_database(work_off)
        assert await device.receive() == puback(1)


async def test_many_connections_are_let_in_little_by_little_and_all_of_them(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    bounds(monkeypatch)
    monkeypatch.setattr(withholding, "RELEASE_AT_ONCE", 2)
    for number in range(7):
        await from_database(world.device, f"MORE{number}")
    async with serving() as front:
        devices = [await Device.enter(front.port, token) for token in world.devices if token != "STRANGER"]
        await from_database(fill, world, "ONE")
        await until(lambda: held(front.server, world, "ONE"))
        for device in devices:
            device.send(publish(b"x", 1))
        await from_database(work_off)
        assert [await device.receive() for device in devices] == [puback(1)] * len(devices)


async def test_while_the_database_cannot_be_asked_nothing_changes(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bounds(monkeypatch)
    at = connections["default"].settings_dict
    here = at["HOST"]
    with caplog.at_level(logging.INFO, backlog.__name__):
        async with serving() as front:
            device, stranger = await Device.enter(front.port, "ONE"), await Device.enter(front.port, "STRANGER")
            await from_database(fill, world, "ONE")
            await until(lambda: held(front.server, world, "ONE"))
            monkeypatch.setitem(at, "HOST", "/nowhere")
            front.server.withholding.watch._connection.close()  # type: ignore[union-attr]
            await until(lambda: any("nothing changes" in record.message for record in caplog.records))
            device.send(publish(b"x", 1))
            stranger.send(publish(b"y", 1))
            assert await stranger.receive() == puback(1) and await device.silent()
            at["HOST"] = here
            await from_database(work_off)
            assert await device.receive() == puback(1)
    said = [record.message for record in caplog.records]
    tenant = str(world.profile.tenant_id)
    assert [message for message in said if tenant in message] == [
        f"Tenant {tenant} has too much waiting for the rule engine: its devices are not served.",
        f"The backlog of tenant {tenant} is worked off: its devices are served again.",
    ]
    assert sum("nothing changes" in message for message in said) == 1


async def test_a_look_that_takes_long_is_followed_by_a_longer_rest(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = BacklogWatch("test", lambda _came, _went: None)
    try:
        rest, found = await asyncio.to_thread(watch._look)
        assert found == {} and settings.TB_RULE_BACKLOG_CHECK_SECONDS <= rest < backlog.LONGEST_REST_S
        monkeypatch.setattr(backlog, "REST_PER_LOOK", 1e9)
        rest, _ = await asyncio.to_thread(watch._look)
        assert rest == backlog.LONGEST_REST_S
    finally:
        watch._drop()


async def test_the_numbers_say_who_is_withheld_and_how_much_waits(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    bounds(monkeypatch)
    async with platform() as server:
        metrics = MetricsPort(server)
        await metrics.start(0)
        try:
            await Device.enter(server.port, "ONE")
            await from_database(fill, world, "ONE")
            await from_database(fill, world, "STRANGER", 10)
            await from_database(age, 60)
            await until(lambda: held(server, world, "ONE") and server.withholding.watch.total.messages == 2)
            await until(lambda: server.withholding.watch.age() > 59)
            found = await samples(metrics)
            assert found["thingsboard_rule_backlog_messages"] == 2
            assert found["thingsboard_rule_backlog_bytes"] > LIMIT
            assert 60 <= found["thingsboard_rule_backlog_oldest_seconds"] < 120
            assert found["thingsboard_rule_backlog_withheld_tenants"] == 1
            assert found["thingsboard_rule_backlog_withholdings_total"] == 1
            assert found["thingsboard_mqtt_paused_sessions{reason=backlog}"] == 1
        finally:
            await metrics.stop()
