"""From a device's socket to the tables and back: the real ingest, the real database, a real client."""

import asyncio
import math
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import orjson
import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from telemetry import services
from telemetry.models import TsKv
from telemetry.points import Scope
from tests.transports.mqtt.client import ATTRIBUTES, Device, puback, publish
from tests.transports.mqtt.conftest import World, from_database
from thingsboard.transports.mqtt.limits import Limits
from thingsboard.transports.mqtt.server import MqttServer
from thingsboard.transports.uplink import Ingest


@asynccontextmanager
async def platform(**limits: Any) -> AsyncIterator[MqttServer]:
    server = MqttServer(Ingest, replace(Limits.from_settings(), **limits))
    await server.start("127.0.0.1", 0)
    try:
        yield server
    finally:
        for device in list(Device.living):
            await device.leave()
        assert await server.stop()


async def latest(world: World, token: str) -> dict[str, Any]:
    points = await from_database(services.latest, world.devices[token].id)
    return {key: point.value for key, point in points.items()}


async def points_of(world: World, token: str) -> int:
    return await from_database(TsKv.objects.filter(entity_id=world.devices[token].id).count)


async def test_an_acknowledged_value_is_stored_and_readable(world: World) -> None:
    async with platform() as server:
        device = await Device.enter(server.port, "ONE")
        device.send(publish(b'{"temperature":25.5,"on":true}', 1))
        assert await device.receive() == puback(1)
        assert await latest(world, "ONE") == {"temperature": 25.5, "on": True}
        device.send(publish(b'{"serial":"A1"}', 2, topic=ATTRIBUTES))
        assert await device.receive() == puback(2)
        found = await from_database(services.attributes, world.devices["ONE"].id, Scope.CLIENT)
        assert "A1" in repr(found)


async def test_messages_without_time_stamps_get_one_each_over_a_reconnect_too(world: World) -> None:
    async with platform() as server:
        for start in (1, 301):
            device = await Device.enter(server.port, "ONE")
            device.send(b"".join(publish(b'{"n":%d}' % n, n) for n in range(start, start + 300)))
            assert [await device.receive() for _ in range(300)] == [puback(n) for n in range(start, start + 300)]
        assert await points_of(world, "ONE") == 600
        assert await latest(world, "ONE") == {"n": 600}


BAD = {
    "broken JSON": b'{"a":',
    "no JSON": b"hello",
    "empty": b"",
    "not an object": b"[1]",
    "NaN": b'{"a":NaN}',
    "NUL in a string": b'{"a":"x\\u0000y"}',
    "lone surrogate": b'{"a":"\\ud800"}',
    "not UTF-8": b'{"a":"\xff"}',
    "10,000 keys": orjson.dumps({f"k{n}": n for n in range(5000)}),
    "too deep": b'{"a":' + b"[" * 100 + b"]" * 100 + b"}",
    "year 1": b'{"ts":-62135596800000,"values":{"a":1}}',
    "year 9999": b'{"ts":253370764800000,"values":{"a":1}}',
    "key too long": orjson.dumps({"k" * 1000: 1}),
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
async def test_bad_input_is_refused_for_that_client_alone(world: World, bad: bytes) -> None:
    async with platform() as server:
        device, other = await Device.enter(server.port, "ONE"), await Device.enter(server.port, "TWO")
        device.send(publish(b'{"good":1}', 1) + publish(bad, 2))
        other.send(publish(b'{"good":2}', 1))
        assert await device.receive() == puback(1)
        assert await device.closed()
        assert await other.receive() == puback(1)
        assert await latest(world, "ONE") == {"good": 1}
        assert await latest(world, "TWO") == {"good": 2}
        assert sum(server.counters.by_reason.values()) == 1


async def test_an_integer_beyond_64_bits_becomes_text_and_a_large_payload_ends_its_connection(world: World) -> None:
    async with platform() as server:
        device = await Device.enter(server.port, "ONE")
        device.send(publish(b'{"big":123456789012345678901234567890}', 1))
        assert await device.receive() == puback(1)
        assert await latest(world, "ONE") == {"big": "123456789012345678901234567890"}
        device.send(publish(b'{"a":"' + b"x" * 1_000_000 + b'"}', 2))
        assert await device.closed()
        assert server.counters.by_reason == {"packet_size": 1}


async def test_an_acknowledgement_at_idle_load_comes_at_once(world: World) -> None:
    async with platform() as server:
        device = await Device.enter(server.port, "ONE")
        took = []
        for number in range(1, 31):
            device.send(publish(b'{"a":%d}' % number, number))
            before = time.perf_counter()
            assert await device.receive() == puback(number)
            took.append(time.perf_counter() - before)
            await asyncio.sleep(0.01)
        assert sorted(took)[len(took) // 2] < 0.015


@pytest.mark.parametrize("version", [paho.MQTTv31, paho.MQTTv311])
async def test_a_real_client_publishes_with_every_qos(world: World, version: int) -> None:
    async with platform() as server:

        def run() -> list[int]:
            client = paho.Client(CallbackAPIVersion.VERSION2, client_id=uuid.uuid4().hex[:20], protocol=version)
            client.username_pw_set("ONE")
            granted: list[int] = []
            client.on_subscribe = lambda *args: granted.extend(code.value for code in args[3])
            client.connect("127.0.0.1", server.port)
            client.loop_start()
            client.subscribe([("v1/devices/me/rpc/request/+", 2), ("#", 0)])
            for qos in (0, 1, 2):
                client.publish("v1/devices/me/telemetry", f'{{"q{qos}":{qos}}}', qos).wait_for_publish(5)
            client.disconnect()
            client.loop_stop()
            return granted

        assert await asyncio.to_thread(run) == [1, 128]
        async with asyncio.timeout(5):
            while await latest(world, "ONE") != {"q0": 0, "q1": 1, "q2": 2}:
                await asyncio.sleep(0.01)


async def test_nothing_is_lost_or_stored_twice_when_many_devices_publish_at_once(world: World) -> None:
    async with platform() as server:

        async def work(token: str, base: int) -> None:
            device = await Device.enter(server.port, token)
            for start in range(0, 2000, 100):
                device.send(
                    b"".join(
                        publish(orjson.dumps({"ts": base + n, "values": {"a": n, "b": math.sqrt(n)}}), n % 65535 + 1)
                        for n in range(start, start + 100)
                    )
                )
                for n in range(start, start + 100):
                    assert await device.receive() == puback(n % 65535 + 1)

        await asyncio.gather(*(work(token, 1_790_000_000_000) for token in world.devices))
        for token in world.devices:
            assert await points_of(world, token) == 4000
