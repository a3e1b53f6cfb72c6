"""Sessions of MQTT 5: filters, deliveries, session limits, the reason of an end."""

import asyncio

import pytest

from tests.transports.mqtt import client
from tests.transports.mqtt.client import ATTRIBUTES, Device, puback
from tests.transports.mqtt.client5 import disconnected, enter, publish, subscribe, unsubscribe
from tests.transports.mqtt.conftest import World, serving
from thingsboard.transports.mqtt.packets import string

RPC = "v1/devices/me/rpc/request/+"


async def test_filters_are_granted_refused_and_taken_back_one_by_one(world: World) -> None:
    async with serving() as front:
        device = await enter(front.port, "ONE")
        device.send(subscribe(RPC, "#", "$share/g/v2/a", ATTRIBUTES, options=0x2E))
        assert await device.receive() == b"\x90\x07\x00\x01\x00\x01\x8f\x8f\x01"
        device.send(unsubscribe(ATTRIBUTES, "#", packet_id=2, properties=b"\x26" + string("a") + string("b")))
        assert await device.receive() == b"\xb0\x05\x00\x02\x00\x00\x11"
        device.send(unsubscribe(ATTRIBUTES, packet_id=3))
        assert await device.receive() == b"\xb0\x04\x00\x03\x00\x11"


async def test_a_delivery_comes_in_the_words_of_mqtt_5(world: World) -> None:
    async with serving() as front:
        device = await enter(front.port, "ONE", properties=b"\x27\x00\x00\x00\x80")
        device.send(subscribe(RPC))
        await device.receive()
        device_id, topic = world.devices["ONE"].id, "v1/devices/me/rpc/request/7"
        assert await front.server.deliver(device_id, topic, b"quiet", 0)
        assert await device.receive() == publish(b"quiet", topic=topic)
        sending = asyncio.create_task(front.server.deliver(device_id, topic, b"loud", 1))
        assert await device.receive() == publish(b"loud", 1, topic=topic)
        device.send(b"\x40\x03\x00\x01\x00")
        assert await sending
        assert not await front.server.deliver(device_id, topic, b"x" * 100, 1)  # too large for it
        assert await device.silent()


async def test_no_more_is_delivered_at_a_time_than_the_client_takes(world: World) -> None:
    async with serving() as front:
        device = await enter(front.port, "ONE", properties=b"\x21\x00\x02")
        device.send(subscribe(RPC))
        await device.receive()
        device_id, topic = world.devices["ONE"].id, "v1/devices/me/rpc/request/7"
        sending = [asyncio.create_task(front.server.deliver(device_id, topic, b"%d" % n, 1)) for n in range(5)]
        assert [(await device.receive())[-1:] for _ in range(2)] == [b"0", b"1"]
        assert await device.silent()
        for n in range(5):
            device.send(puback(n + 1))
            if n < 3:
                assert (await device.receive())[-1:] == b"%d" % (n + 2)
        assert await asyncio.gather(*sending) == [True] * 5


async def test_the_end_of_a_session_has_a_reason(world: World) -> None:
    async with serving() as front:
        older = await enter(front.port, "ONE")
        silent = await enter(front.port, "TWO", keep_alive=1)
        await enter(front.port, "ONE")
        assert await older.receive() == disconnected(0x8E)
        assert await older.closed()
        assert await silent.receive() == disconnected(0x8D)
        last = await enter(front.port, "STRANGER")
        stopping = asyncio.create_task(front.server.stop())
        assert await last.receive() == disconnected(0x8B)
        await stopping


@pytest.mark.parametrize("five", [False, True])
async def test_the_session_limits_are_told_to_who_asks(world: World, five: bool) -> None:
    async with serving(max_payload=5000) as front:
        device = await (enter(front.port, "ONE") if five else Device.enter(front.port, "ONE"))
        ask = publish if five else client.publish
        asked = b'{"method":"getSessionLimits","params":{"timeout":5000}}'
        told = (
            b'{"maxPayloadSize":5000,"maxInflightMessages":100,'
            b'"rateLimits":{"messages":null,"telemetryMessages":null,"telemetryDataPoints":null}}'
        )
        device.send(ask(asked, 9, topic="v1/devices/me/rpc/request/1"))
        assert await device.receive() == puback(9)
        assert await device.receive() == ask(told, topic="v1/devices/me/rpc/response/1")
        for topic, payload in (
            ("v1/devices/me/rpc/request/x", asked),
            ("v1/devices/me/rpc/request/1", b'{"method":"other"}'),
            ("v1/devices/me/rpc/request/1", b'["getSessionLimits"]'),
            ("v1/devices/me/rpc/request/1", b"{"),
        ):
            device.send(ask(payload, 10, topic=topic))
            assert await device.receive() == puback(10)
        assert await device.silent()
        assert front.server.counters.by_reason == {"unsupported_topic": 4}


async def test_a_goodbye_is_short_for_who_takes_only_small_packets(world: World) -> None:
    async with serving() as front:
        older = await enter(front.port, "ONE", properties=b"\x27\x00\x00\x00\x10")
        await enter(front.port, "ONE")
        assert await older.receive() == b"\xe0\x01\x8e"
