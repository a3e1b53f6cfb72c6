"""Overload slows senders down; memory stays what it was."""

import asyncio
import socket
import time

import psutil
import pytest

from tests.transports.mqtt.client import Device, connect, puback, publish, subscribe
from tests.transports.mqtt.conftest import Front, World, serving
from tests.transports.mqtt.recorder import until
from thingsboard.transports.mqtt import packets
from thingsboard.transports.mqtt.flow import AHEAD, FULL, UNACKED


def connection(front: Front, world: World, token: str):  # type: ignore[no-untyped-def]
    """The server's side."""
    return front.server.devices[world.devices[token].id]


async def pour(device: Device, payload: bytes, messages: int) -> None:
    """Send as fast as the other side reads."""
    for number in range(messages):
        device.send(publish(payload, number % 65535 + 1))
        if number % 50 == 0:
            await device.writer.drain()
    await device.writer.drain()


async def test_a_held_store_stops_the_reading_and_its_return_lets_everybody_in_again(world: World) -> None:
    async with serving(ingest={"max_pending": 200, "batch": 50}, max_unacked=65535) as front:
        devices = [await Device.enter(front.port, token) for token in ("ONE", "TWO", "STRANGER")]
        front.ingest.sink.release.clear()
        payload = b"x" * 10_000
        pourers = [asyncio.create_task(pour(device, payload, 2000)) for device in devices]
        await until(lambda: all(connection(front, world, token).held & FULL for token in world.devices))
        pending, memory = front.ingest.batcher.pending, psutil.Process().memory_info().rss
        await asyncio.sleep(0.5)
        assert front.ingest.batcher.pending == pending < 1000
        assert psutil.Process().memory_info().rss - memory < 30_000_000  # what the clients put into their own buffers
        assert not any(pourer.done() for pourer in pourers)
        front.ingest.sink.release.set()
        for device in devices:
            assert [await device.receive() for _ in range(2000)] == [puback(n + 1) for n in range(2000)]
        await asyncio.gather(*pourers)
        assert len(front.ingest.payloads) == 6000
        await until(lambda: not any(connection(front, world, token).held for token in world.devices))


async def test_room_lets_those_in_first_that_waited_longest(world: World) -> None:
    async with serving(ingest={"max_pending": 10, "batch": 5}) as front:
        one, two = await Device.enter(front.port, "ONE"), await Device.enter(front.port, "TWO")
        front.ingest.sink.release.clear()
        for device, token in ((two, "TWO"), (one, "ONE")):
            device.send(b"".join(publish(b"x", n) for n in range(1, 12)))
            await until(lambda token=token: bool(connection(front, world, token).held & FULL))
        assert list(front.server._waiting) == [connection(front, world, "TWO"), connection(front, world, "ONE")]
        front.ingest.sink.release.set()
        for device in (one, two):
            assert [await device.receive() for _ in range(11)] == [puback(n) for n in range(1, 12)]
        await until(lambda: not front.server._waiting)


async def test_too_many_unacknowledged_messages_pause_their_connection_alone(world: World) -> None:
    async with serving(max_unacked=10) as front:
        one, two = await Device.enter(front.port, "ONE"), await Device.enter(front.port, "TWO")
        front.ingest.sink.release.clear()
        one.send(b"".join(publish(b"x", n) for n in range(1, 12)))
        two.send(publish(b"y", 1))
        await until(lambda: bool(connection(front, world, "ONE").held & UNACKED))
        await until(lambda: connection(front, world, "TWO").unacked == 1)
        assert not connection(front, world, "TWO").held
        one.send(publish(b"later", 12))
        await asyncio.sleep(0.05)
        assert connection(front, world, "ONE").unacked == 10
        front.ingest.sink.release.set()
        assert [await one.receive() for _ in range(12)] == [puback(n) for n in range(1, 13)]


async def test_stamps_that_run_ahead_pause_the_connection_until_they_are_back(world: World) -> None:
    async with serving() as front:
        device = await Device.enter(front.port, "ONE")
        there = connection(front, world, "ONE")
        there.session.clock.last = int(time.time() * 1000) + 1200
        device.send(publish(b"x", 1) + publish(b"y", 2))
        await until(lambda: bool(there.held & AHEAD))
        assert await device.silent(0.2)
        assert [await device.receive() for _ in range(2)] == [puback(1), puback(2)]
        assert there.session.clock.ahead_ms() < 1000


async def test_a_burst_is_never_stamped_more_than_a_second_ahead(world: World) -> None:
    async with serving() as front:
        device = await Device.enter(front.port, "ONE")
        there = connection(front, world, "ONE")
        farthest = 0
        device.send(b"".join(publish(b"x", n) for n in range(1, 2501)))
        for number in range(1, 2501):
            assert await device.receive() == puback(number)
            farthest = max(farthest, there.session.clock.ahead_ms())
        assert farthest <= 1000
        assert list(front.ingest.payloads) == [b"x"] * 2500


async def test_a_paused_connection_does_not_fail_its_keep_alive(world: World) -> None:
    async with serving(ingest={"max_pending": 1}, connect_timeout=0.2, idle_timeout=0.2) as front:
        device, idle = (
            await Device.enter(front.port, "ONE", keep_alive=0),
            await Device.enter(front.port, "TWO", keep_alive=0),
        )
        front.ingest.sink.release.clear()
        device.send(publish(b"x", 1) + publish(b"x", 2))
        await until(lambda: bool(connection(front, world, "ONE").held & FULL))
        assert await idle.closed()
        await asyncio.sleep(0.3)
        front.ingest.sink.release.set()
        assert await device.receive() == puback(1)
        assert await device.receive() == puback(2)


async def test_a_silent_device_is_cut_and_a_pinging_one_is_not(world: World) -> None:
    async with serving(connect_timeout=0.1) as front:
        silent, pinging = (
            await Device.enter(front.port, "ONE", keep_alive=1),
            await Device.enter(front.port, "TWO", keep_alive=1),
        )
        before = time.monotonic()
        for _ in range(4):
            pinging.send(b"\xc0\x00")
            assert await pinging.receive() == packets.PINGRESP
            await asyncio.sleep(0.45)
        assert await silent.closed()
        assert 1.5 <= time.monotonic() - before < 2.5
        assert front.counted("silence") == 1
        pinging.send(b"\xc0\x00")
        assert await pinging.receive() == packets.PINGRESP


async def test_who_never_reads_is_cut(world: World) -> None:
    async with serving(write_buffer=4096) as front:
        raw = socket.socket()
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.connect(("127.0.0.1", front.port))
        raw.setblocking(False)
        reader, writer = await asyncio.open_connection(sock=raw)
        device = Device(reader, writer)
        device.send(connect("ONE"))
        assert await device.receive() == packets.connack(0)
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        pings = b"\xc0\x00" * 30_000
        with pytest.raises((ConnectionError, TimeoutError)):
            async with asyncio.timeout(10):
                while True:
                    device.send(pings)
                    await writer.drain()
        assert front.counted("slow_consumer") == 1
        await until(lambda: not front.server.connections)


async def test_a_flood_of_subscriptions_pauses_the_connection(world: World) -> None:
    async with serving() as front:
        device = await Device.enter(front.port, "ONE")
        device.send(b"".join(subscribe("v2/a", packet_id=n) for n in range(1, 501)))
        for number in range(1, 501):
            assert await device.receive() == b"\x90\x03" + number.to_bytes(2, "big") + b"\x01"
        assert not connection(front, world, "ONE").held
