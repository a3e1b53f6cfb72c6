"""What is wrong with a stock amqtt broker (the design's table of 24 weaknesses), tried on ours: packets, time and memory.

Rows 1, 9, 12, 14-18 and 23; the others are in test_weaknesses_of_sessions.py.
"""

import asyncio
import socket
import time

import psutil
import pytest

from tests.transports.mqtt.client import ATTRIBUTES, TELEMETRY, Device, connect, puback, publish, subscribe
from tests.transports.mqtt.conftest import World, serving
from tests.transports.mqtt.recorder import until
from thingsboard.transports.mqtt import packets
from thingsboard.transports.mqtt.packets import packet, string

MEGABYTE = 1 << 20


def memory() -> int:
    return int(psutil.Process().memory_info().rss)


async def test_a_puback_comes_after_the_commit_and_what_cannot_be_committed_slows_its_sender(world: World) -> None:
    """Row 1: PUBACK before processing, and no back-pressure."""
    async with serving(max_unacked=5) as front:
        device = await Device.enter(front.port, "ONE")
        front.ingest.sink.release.clear()
        device.send(b"".join(publish(b"x", n) for n in range(1, 1001)))
        there = front.server.devices[world.devices["ONE"].id]
        await until(lambda: there.held != 0)
        assert await device.silent()
        assert there.unacked < 1000
        assert not front.ingest.payloads
        front.ingest.sink.release.set()
        assert [await device.receive() for _ in range(1000)] == [puback(n) for n in range(1, 1001)]


@pytest.mark.parametrize("beat", [b"", b"\xc0\x00"])
async def test_keep_alive_is_enforced_and_a_ping_keeps_alive(world: World, beat: bytes) -> None:
    """Row 9: keep-alive is not enforced."""
    async with serving(connect_timeout=0.2) as front:
        device = await Device.enter(front.port, "ONE", keep_alive=1)
        begun = time.monotonic()
        while time.monotonic() - begun < 2.2 and not device.reader.at_eof():
            device.send(beat)
            await asyncio.sleep(0.1)
        assert device.reader.at_eof() is not bool(beat)


@pytest.mark.parametrize(
    "first", [b"", b"GET / HTTP/1.1\r\n\r\n", publish(b"{}", 1), connect("ONE")[:-3], b"\x10", b"\x16\x03\x01\x02\x00"]
)
async def test_who_says_nothing_or_nonsense_first_does_not_stay(world: World, first: bytes) -> None:
    """Row 12: no CONNECT timeout, no close on garbage."""
    async with serving(connect_timeout=0.2) as front:
        device = await Device.dial(front.port)
        device.send(first)
        assert await device.closed()
        await until(lambda: not front.server.connections)


@pytest.mark.parametrize("topic", ["$SYS/broker/load", "$share/a/b", ""])
async def test_after_a_strange_topic_a_connection_is_served_or_closed_but_never_lied_to(
    world: World, topic: str
) -> None:
    """Row 14: the socket stays, later QoS 1 messages are acknowledged and never processed, the session leaks."""
    async with serving() as front:
        device = await Device.enter(front.port, "ONE")
        device.send(publish(b"{}", 1, topic=topic) + publish(b"later", 2))
        heard = [each for each in [await device.receive(), await device.receive()] if each]
        if puback(2) in heard:
            assert front.ingest.payloads == [b"later"]
        else:
            assert not front.ingest.payloads
            assert front.counted("topic") == 1
            await until(lambda: not front.server.broker.sessions)


@pytest.mark.parametrize(
    "bad",
    [
        publish(
            b"\x30\x1b" + string(TELEMETRY) + b"{}", 1, topic="v1/+/me/telemetry"
        ),  # its payload looks like a packet
        publish(b"\xe0\x00", 1, topic="v1/#"),
        packet(0x32, b"\xff\xff" + TELEMETRY.encode() + b"\0\1{}"),  # its topic is longer than itself
        packet(0x36, string(TELEMETRY) + b"\0\1{}"),
        packet(0x32, string(TELEMETRY) + b"\0\0{}"),
        packet(0x32, b"\0\2\xff\xfe\0\1{}"),
        packet(0x32, b""),
        packet(0x32, string(TELEMETRY) + b"\0"),
    ],
    ids=[
        "wildcard",
        "multi-level wildcard",
        "topic too long",
        "QoS 3",
        "packet id 0",
        "no UTF-8",
        "empty",
        "half an id",
    ],
)
async def test_a_malformed_publish_ends_its_connection_and_nothing_in_or_behind_it_is_read(
    world: World, bad: bytes
) -> None:
    """Row 15: payload bytes are parsed as packets, following packets are eaten, wrong ids and topics accepted."""
    async with serving() as front:
        device, other = await Device.enter(front.port, "ONE"), await Device.enter(front.port, "TWO")
        device.send(bad + publish(b"behind", 9))
        assert await device.closed()
        other.send(publish(b"other", 1))
        assert await other.receive() == puback(1)
        assert front.ingest.payloads == [b"other"]
        await until(lambda: len(front.server.broker.sessions) == 1)


@pytest.mark.parametrize("length", [b"\x80\x80\x80\x1e", b"\xff\xff\xff\x7f", b"\xff\xff\xff\xff\x01"])
async def test_a_packet_that_is_too_large_is_not_read(world: World, length: bytes) -> None:
    """Row 16: 60 MB are accepted, 256 MB read into memory as they come."""
    async with serving() as front:
        device = await Device.enter(front.port, "ONE")
        before = memory()
        device.send(b"\x32" + length)
        piece, sent = b"x" * 65536, 0
        with pytest.raises(ConnectionError):
            async with asyncio.timeout(10):
                while sent < 256 * MEGABYTE:
                    device.send(piece)
                    sent += len(piece)
                    await device.writer.drain()
                    await asyncio.sleep(0)
        assert sent < 32 * MEGABYTE
        assert memory() - before < 32 * MEGABYTE
        await until(lambda: not front.server.connections)


async def test_a_subscriber_that_does_not_read_is_cut_and_delays_nobody(world: World) -> None:
    """Row 17: a slow consumer takes memory without end and holds up the others."""
    async with serving(write_buffer=65536) as front:
        raw = socket.socket()
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.connect(("127.0.0.1", front.port))
        raw.setblocking(False)
        slow = Device(*await asyncio.open_connection(sock=raw))
        quick = await Device.enter(front.port, "TWO")
        slow.send(connect("ONE"))
        assert await slow.receive() == packets.connack(packets.ACCEPTED)
        for each in (slow, quick):
            each.send(subscribe(ATTRIBUTES, qos=0))
            assert (await each.receive())[0] == 0x90
        slow.writer.transport.pause_reading()  # type: ignore[attr-defined]
        one, two = world.devices["ONE"].id, world.devices["TWO"].id
        before, delivered = memory(), 0
        while await front.server.deliver(one, ATTRIBUTES, b"x" * 1000, 0):
            delivered += 1
            assert delivered < 30_000
            assert await front.server.deliver(two, ATTRIBUTES, b"y", 0)
            assert await quick.receive() == publish(b"y", topic=ATTRIBUTES)
        assert front.counted("slow_consumer") == 1
        assert memory() - before < 16 * MEGABYTE


async def test_a_publish_to_a_forbidden_topic_is_not_taken_and_said_to_be_so(world: World) -> None:
    """Row 18: a forbidden publish is acknowledged, and the hook fires. (3.1.1 has no word for it: acknowledged, dropped and
    counted, as ThingsBoard does; MQTT 5 has one, see test_v5.py.)
    """
    async with serving() as front:
        device = await Device.enter(front.port, "ONE")
        for number, topic in enumerate(("home/kitchen", "v1/devices/other/telemetry", "v1/gateway/telemetry"), 1):
            device.send(publish(b'{"a":1}', number, topic=topic))
            assert await device.receive() == puback(number)
        assert not front.ingest.payloads
        assert sum(front.server.counters.by_reason.values()) == 3


async def test_a_second_connect_and_a_fifth_length_byte_close_and_order_is_kept(world: World) -> None:
    """Row 23: what stock amqtt does right stays right."""
    async with serving() as front:
        for bad in (connect("ONE"), b"\x30\x80\x80\x80\x80\x01"):
            device = await Device.enter(front.port, "ONE")
            device.send(bad)
            assert await device.closed()
        device = await Device.enter(front.port, "ONE")
        device.send(b"".join(publish(b"%d" % n, n) for n in range(1, 501)))
        assert [await device.receive() for _ in range(500)] == [puback(n) for n in range(1, 501)]
        assert front.ingest.payloads == [b"%d" % n for n in range(1, 501)]
