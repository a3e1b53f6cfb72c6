"""A device connects, speaks, falls silent: what its server attributes say about it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from django.db import connection

from devices.services.devices import delete_device
from telemetry import erasure
from telemetry.models import AttributeKv
from tests.transports.activity import MINUTES, SECONDS, Observer, observer
from tests.transports.mqtt.client import Device, connect, puback, publish, subscribe
from tests.transports.mqtt.conftest import World, from_database
from thingsboard.kernel.time import now_ms
from thingsboard.transports.activity import ActivityReporter
from thingsboard.transports.mqtt import packets
from thingsboard.transports.mqtt.limits import Limits
from thingsboard.transports.mqtt.server import MqttServer
from thingsboard.transports.uplink import Ingest

__all__ = ["observer"]

APPLICATION = "thingsboard activity test"


@asynccontextmanager
async def platform() -> AsyncIterator[MqttServer]:
    server = MqttServer(Ingest, Limits.from_settings(), ActivityReporter(APPLICATION))
    await server.start("127.0.0.1", 0)
    try:
        yield server
    finally:
        assert await server.stop()


def active(found: dict[str, Any]) -> bool:
    return found.get("active") is True


async def test_a_device_that_connects_is_active_and_its_times_are_there(observer: Observer) -> None:
    before = now_ms()
    async with platform() as server:
        device = await Device.enter(server.port, "ONE")
        found = await observer.until("ONE", active)
        assert found.keys() == {"active", "lastConnectTime", "lastActivityTime"}
        assert before <= found["lastConnectTime"] <= found["lastActivityTime"] <= now_ms()
        await device.leave()
        found = await observer.until("ONE", lambda found: "lastDisconnectTime" in found)
        assert found["lastDisconnectTime"] >= found["lastConnectTime"]
        assert found["active"] is True
        assert await observer.attributes("TWO") == {}


async def test_a_ping_a_subscription_and_a_message_keep_it_active_and_silence_ends_it(observer: Observer) -> None:
    async with platform() as server:
        device = await Device.enter(server.port, "ONE")
        await observer.until("ONE", active)
        for packet in (b"\xc0\x00", subscribe("v1/devices/me/attributes"), publish(b'{"a":1}'), publish(b'{"a":2}', 1)):
            heard = observer.pass_time(9 * MINUTES)
            device.send(packet)
            # the clock that silence is measured with is half a second coarse
            found = await observer.until("ONE", lambda found, at=heard: found["lastActivityTime"] >= at - SECONDS)
            await observer.review()
            assert active(await observer.attributes("ONE"))
        silent = found["lastActivityTime"]
        observer.pass_time(10 * MINUTES - 5 * SECONDS)
        await observer.review()
        assert active(await observer.attributes("ONE"))
        late = observer.pass_time(5 * SECONDS)
        await observer.review()
        found = await observer.attributes("ONE")
        assert (found["active"], found["lastActivityTime"]) == (False, silent)
        assert late <= found["inactivityAlarmTime"] <= now_ms()
        observer.pass_time(MINUTES)
        await observer.review()
        assert (await observer.attributes("ONE"))["inactivityAlarmTime"] == found["inactivityAlarmTime"], "fired twice"
        device.send(publish(b'{"a":3}', 2))
        again = await observer.until("ONE", active)
        assert again["inactivityAlarmTime"] == found["inactivityAlarmTime"]
        assert again["lastConnectTime"] == found["lastConnectTime"]
        await device.leave()


async def test_a_new_session_closes_the_older_one_and_that_is_no_disconnect(observer: Observer) -> None:
    async with platform() as server:
        older = await Device.enter(server.port, "ONE")
        first = (await observer.until("ONE", active))["lastConnectTime"]
        newer = await Device.enter(server.port, "ONE")
        assert await older.closed()
        await older.leave()
        found = await observer.until("ONE", lambda found: found["lastConnectTime"] > first)
        assert "lastDisconnectTime" not in found
        newer.send(b"\xc0\x00")
        assert await newer.receive() == b"\xd0\x00"
        await observer.until("ONE", lambda later: later["lastActivityTime"] > found["lastActivityTime"] - SECONDS)
        assert "lastDisconnectTime" not in await observer.attributes("ONE")
        await newer.leave()
        await observer.until("ONE", lambda found: "lastDisconnectTime" in found)


async def test_what_was_written_outlives_a_restart_and_stopping_ends_the_sessions(observer: Observer) -> None:
    async with platform() as server:
        device = await Device.enter(server.port, "ONE")
        quick = await Device.enter(server.port, "TWO")
    await device.leave()
    await quick.leave()
    before = await observer.attributes("ONE")
    assert active(before) and before["lastDisconnectTime"] >= before["lastConnectTime"]
    assert active(await observer.attributes("TWO"))
    async with platform() as server:
        assert await observer.attributes("ONE") == before
        observer.pass_time(11 * MINUTES)
        await observer.review()
        gone = await observer.attributes("ONE")
        assert gone["active"] is False
        device = await Device.enter(server.port, "ONE")
        back = await observer.until("ONE", active)
        assert back["lastConnectTime"] > before["lastConnectTime"]
        assert back["lastDisconnectTime"] == before["lastDisconnectTime"]
        assert back["inactivityAlarmTime"] == gone["inactivityAlarmTime"]
        await device.leave()


async def test_a_refused_device_leaves_no_trace(observer: Observer) -> None:
    async with platform() as server:
        device = await Device.dial(server.port)
        device.send(connect("NOBODY"))
        assert await device.receive() == packets.connack(packets.NOT_AUTHORIZED)
        await device.leave()
    assert await from_database(AttributeKv.objects.count) == 0


async def test_a_device_that_is_deleted_while_it_is_connected_leaves_nothing_behind(
    observer: Observer, world: World
) -> None:
    async with platform() as server:
        device, other = await Device.enter(server.port, "ONE"), await Device.enter(server.port, "TWO")
        await observer.until("ONE", active)
        await from_database(delete_device, world.devices["ONE"])
        await from_database(erasure.work_off)
        device.send(publish(b'{"a":1}'))
        await device.leave()
        await other.leave()
        await observer.until("TWO", lambda found: "lastDisconnectTime" in found)
    left = AttributeKv.objects.exclude(entity_id=world.devices["TWO"].id)
    assert await from_database(left.count) == 0


async def test_activity_that_could_not_be_written_is_written_when_the_database_is_back(observer: Observer) -> None:
    async with platform() as server:
        device = await Device.enter(server.port, "ONE")
        seen = await observer.until("ONE", active)
        for _ in range(3):
            await from_database(_cut)
            observer.pass_time(MINUTES)
            device.send(publish(b'{"a":1}', 1))
            assert await device.receive() == puback(1)
            heard = now_ms() - SECONDS
            seen = await observer.until("ONE", lambda found, at=heard: found["lastActivityTime"] >= at)
        assert seen["active"] is True
        await device.leave()


def _cut() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s", [APPLICATION]
        )


async def test_a_session_that_ends_by_silence_was_not_heard_when_it_ended(observer: Observer) -> None:
    async with platform() as server:
        device = await Device.enter(server.port, "ONE", keep_alive=1)
        before = (await observer.until("ONE", active))["lastActivityTime"]
        with contextlib.suppress(TimeoutError):
            assert await device.closed()
        await device.leave()
        found = await observer.until("ONE", lambda found: "lastDisconnectTime" in found)
        assert found["lastDisconnectTime"] - before >= 1500
        assert found["lastActivityTime"] - before < SECONDS


async def test_many_devices_are_reported_in_one_go(observer: Observer, world: World) -> None:
    tokens = [f"T{number}" for number in range(60)]
    for token in tokens:
        await from_database(world.device, token)
    async with platform() as server:
        devices = await asyncio.gather(*(Device.enter(server.port, token) for token in tokens))
        for token in tokens:
            assert active(await observer.until(token, active))
        for device in devices:
            await device.leave()
