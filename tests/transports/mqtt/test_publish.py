"""What a device publishes is committed, then acknowledged."""

import asyncio

import pytest

from tests.transports.mqtt.client import ATTRIBUTES, TELEMETRY, Device, connect, puback, publish
from tests.transports.mqtt.conftest import World, serving
from tests.transports.mqtt.recorder import until
from thingsboard.transports.messages import UplinkKind
from thingsboard.transports.mqtt import packets

PUBREL, PUBREC, PUBCOMP = b"\x62\x02", b"\x50\x02", b"\x70\x02"


async def test_a_publish_is_acknowledged_only_after_its_commit(world: World) -> None:
    async with serving() as front:
        device = await Device.enter(front.port, "ONE")
        front.ingest.sink.release.clear()
        device.send(publish(b'{"a":1}', 7))
        assert await device.silent()
        front.ingest.sink.release.set()
        assert await device.receive() == puback(7)
        assert front.ingest.payloads == [b'{"a":1}']


async def test_qos_0_is_stored_and_not_acknowledged(world: World) -> None:
    async with serving() as front:
        device = await Device.enter(front.port, "ONE")
        device.send(publish(b"1") + publish(b"", topic=TELEMETRY) + publish(b"{}"))
        await until(lambda: len(front.ingest.payloads) == 3)
        assert front.ingest.payloads == [b"1", b"", b"{}"]
        assert await device.silent()


@pytest.mark.parametrize(
    ("topic", "kind"),
    [
        (TELEMETRY, UplinkKind.TELEMETRY),
        ("v2/t", UplinkKind.TELEMETRY),
        ("v2/t/j", UplinkKind.TELEMETRY),
        (ATTRIBUTES, UplinkKind.ATTRIBUTES),
        ("v2/a", UplinkKind.ATTRIBUTES),
        ("v2/a/j", UplinkKind.ATTRIBUTES),
    ],
)
async def test_every_uplink_topic_has_its_kind(world: World, topic: str, kind: UplinkKind) -> None:
    async with serving() as front:
        device = await Device.enter(front.port, "ONE")
        device.send(publish(b'{"a":1}', 1, topic=topic))
        assert await device.receive() == puback(1)
        (message,) = front.ingest.sink.stored
        assert message.kind is kind
        assert message.session.device_id == world.devices["ONE"].id
        assert message.session.tenant_id == world.profile.tenant_id
        assert message.session.profile_id == world.profile.id


@pytest.mark.parametrize(
    ("topic", "counter"),
    [
        ("v1/devices/me/nonsense", "unknown_topic"),
        ("home/kitchen", "unknown_topic"),
        ("$SYS/broker", "unknown_topic"),
        ("v1/devices/me/attributes/request/1", "unsupported_topic"),
        ("v1/devices/me/rpc/request/1", "unsupported_topic"),
        ("v1/devices/me/claim", "unsupported_topic"),
        ("v1/gateway/telemetry", "unsupported_topic"),
    ],
)
async def test_a_publish_to_another_topic_is_acknowledged_dropped_and_counted(
    world: World, topic: str, counter: str
) -> None:
    async with serving() as front:
        device = await Device.enter(front.port, "ONE")
        device.send(
            publish(b"{}", 3, topic=topic) + publish(b"{}", 4, topic=topic, qos=2) + publish(b"{}", topic=topic)
        )
        assert await device.receive() == puback(3)
        assert await device.receive() == PUBREC + b"\0\4"
        device.send(PUBREL + b"\0\4" + publish(b"after", 5))
        assert await device.receive() == PUBCOMP + b"\0\4"
        assert await device.receive() == puback(5)
        assert front.ingest.payloads == [b"after"]
        assert front.counted(counter) == 3


async def test_qos_2_is_stored_once_however_often_it_is_sent(world: World) -> None:
    async with serving() as front:
        device = await Device.enter(front.port, "ONE")
        front.ingest.sink.release.clear()
        device.send(publish(b"once", 9, qos=2) + publish(b"once", 9, qos=2, dup=True))
        assert await device.silent()
        front.ingest.sink.release.set()
        assert await device.receive() == PUBREC + b"\0\x09"
        device.send(publish(b"once", 9, qos=2, dup=True))
        assert await device.receive() == PUBREC + b"\0\x09"
        device.send(PUBREL + b"\0\x09")
        assert await device.receive() == PUBCOMP + b"\0\x09"
        device.send(publish(b"again", 9, qos=2))
        assert await device.receive() == PUBREC + b"\0\x09"
        assert front.ingest.payloads == [b"once", b"again"]


async def test_a_release_of_an_unknown_id_is_completed_and_one_before_the_commit_is_an_error(world: World) -> None:
    async with serving() as front:
        device = await Device.enter(front.port, "ONE")
        device.send(PUBREL + b"\0\x05")
        assert await device.receive() == PUBCOMP + b"\0\x05"
        front.ingest.sink.release.clear()
        device.send(publish(b"x", 6, qos=2) + PUBREL + b"\0\x06")
        assert await device.closed()
        assert front.counted("early_release") == 1


async def test_unreleased_qos_2_messages_are_bounded(world: World) -> None:
    async with serving(max_unacked=3) as front:
        device = await Device.enter(front.port, "ONE")
        for packet_id in range(1, 4):
            device.send(publish(b"x", packet_id, qos=2))
            assert await device.receive() == PUBREC + packet_id.to_bytes(2, "big")
        device.send(publish(b"x", 4, qos=2))
        assert await device.closed()
        assert front.counted("unreleased") == 1


async def test_a_refused_message_closes_its_connection_alone_and_what_came_before_it_is_acknowledged(
    world: World,
) -> None:
    async with serving() as front:
        device, other = await Device.enter(front.port, "ONE"), await Device.enter(front.port, "TWO")
        front.ingest.sink.release.clear()
        other.send(publish(b"plug", 1))
        await until(lambda: front.server.devices[world.devices["TWO"].id].unacked == 1)
        device.send(publish(b"good", 1) + publish(b"refuse me", 2) + publish(b"late", 3))
        other.send(publish(b"mine", 2))
        await until(lambda: front.ingest.batcher.pending == 5)
        front.ingest.sink.release.set()
        assert await device.receive() == puback(1)
        assert await device.closed()
        assert [await other.receive(), await other.receive()] == [puback(1), puback(2)]
        assert front.ingest.payloads == [b"plug", b"good", b"late", b"mine"]
        assert front.counted("payload") == 1


async def test_a_refused_qos_0_message_closes_the_connection_too(world: World) -> None:
    async with serving() as front:
        device = await Device.enter(front.port, "ONE")
        device.send(publish(b"refuse me"))
        assert await device.closed()


async def test_packets_may_be_cut_at_every_byte(world: World) -> None:
    async with serving() as front:
        stream = (
            connect("ONE") + publish(b'{"a":1}', 1) + publish(b"x" * 300, 2, qos=2) + b"\xc0\x00" + publish(b"z", 3)
        )
        expected = {packets.connack(0), puback(1), PUBREC + b"\0\2", packets.PINGRESP, puback(3)}
        for cut in range(1, len(stream)):
            device = await Device.dial(front.port)
            device.send(stream[:cut])
            await device.writer.drain()
            await asyncio.sleep(0)
            device.send(stream[cut:])
            assert {await device.receive() for _ in expected} == expected
            await device.leave()
        assert len(front.ingest.payloads) == 3 * (len(stream) - 1)


async def test_packets_may_come_byte_by_byte(world: World) -> None:
    async with serving() as front:
        device = await Device.dial(front.port)
        for byte in connect("ONE") + publish(b"x" * 200, 1):
            device.send(bytes((byte,)))
            await device.writer.drain()
        assert await device.receive() == packets.connack(0)
        assert await device.receive() == puback(1)
        assert front.ingest.payloads == [b"x" * 200]


async def test_messages_sent_right_behind_the_connect_are_taken(world: World) -> None:
    async with serving() as front:
        device = await Device.dial(front.port)
        device.send(connect("ONE") + b"".join(publish(b"%d" % n, n) for n in range(1, 200)))
        assert await device.receive() == packets.connack(0)
        assert [await device.receive() for _ in range(1, 200)] == [puback(n) for n in range(1, 200)]
        assert front.ingest.payloads == [b"%d" % n for n in range(1, 200)]


async def test_the_largest_payload_is_taken_and_one_byte_more_is_not(world: World) -> None:
    async with serving(max_payload=1000) as front:
        device = await Device.enter(front.port, "ONE")
        device.send(publish(b"x" * 1000, 1) + publish(b"x" * 1000))
        assert await device.receive() == puback(1)
        await until(lambda: len(front.ingest.payloads) == 2)
        device.send(publish(b"x" * 1001, 2))
        assert await device.closed()
        device = await Device.enter(front.port, "ONE")
        device.send(publish(b"x" * 1001))
        assert await device.closed()
        assert front.counted("payload_size") == 2
