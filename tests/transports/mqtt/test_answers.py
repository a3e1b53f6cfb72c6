"""The order of acknowledgements, and those that a connection still gets before it is closed."""

import asyncio

from tests.transports.mqtt import client5
from tests.transports.mqtt.client import Device, puback, publish
from tests.transports.mqtt.client5 import disconnected
from tests.transports.mqtt.conftest import World, serving
from tests.transports.mqtt.recorder import until


async def test_what_is_not_stored_is_acknowledged_in_its_turn(world: World) -> None:
    async with serving() as front:
        device = await Device.enter(front.port, "ONE")
        front.ingest.sink.release.clear()
        odd = b"".join(
            publish(b"{}", n, topic="v1/devices/me/telemetry" if n % 3 else "anything") for n in range(1, 301)
        )
        device.send(odd + publish(b"{}", 301, topic="anything", qos=2))
        await until(lambda: front.ingest.batcher.pending == 200)
        assert await device.silent()
        front.ingest.sink.release.set()
        assert [await device.receive() for _ in range(300)] == [puback(n) for n in range(1, 301)]
        assert await device.receive() == b"\x50\x02" + (301).to_bytes(2, "big")
        device.send(b"\x62\x02" + (301).to_bytes(2, "big") + publish(b"{}", 1, topic="anything"))
        assert await device.receive() == b"\x70\x02" + (301).to_bytes(2, "big")
        assert await device.receive() == puback(1)


async def test_a_flood_of_what_is_not_stored_is_not_read_behind_a_held_store(world: World) -> None:
    async with serving(max_unacked=10) as front:
        device = await Device.enter(front.port, "ONE")
        front.ingest.sink.release.clear()
        device.send(publish(b"{}", 1) + b"".join(publish(b"", n, topic="a") for n in range(2, 502)))
        await until(lambda: front.server.counters.by_reason.get("unknown_topic", 0) >= 10)
        await asyncio.sleep(0.05)
        assert front.counted("unknown_topic") == 10
        front.ingest.sink.release.set()
        assert [await device.receive() for _ in range(501)] == [puback(n) for n in range(1, 502)]


async def test_messages_before_a_malformed_packet_are_acknowledged_if_that_does_not_take_long(world: World) -> None:
    async with serving() as front:
        device, slow = await client5.enter(front.port, "ONE"), await client5.enter(front.port, "TWO")
        front.ingest.sink.release.clear()
        device.send(b"".join(client5.publish(b"x", n) for n in range(1, 51)) + b"\xf0\x00")
        await until(lambda: front.ingest.batcher.pending == 50)
        assert await device.silent()
        front.ingest.sink.release.set()
        assert [await device.receive() for _ in range(50)] == [puback(n) for n in range(1, 51)]
        assert await device.receive() == disconnected(0x82)
        front.ingest.sink.release.clear()
        slow.send(client5.publish(b"x", 1) + b"\xf0\x00")
        assert await slow.receive() == disconnected(0x82)
        assert await slow.closed()
