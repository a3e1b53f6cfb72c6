"""MQTT 5 through sockets: the same promises as in 3.1.1, with reason codes."""

import asyncio

import pytest

from tests.transports.mqtt import client5
from tests.transports.mqtt.client import ATTRIBUTES, TELEMETRY, Device, puback
from tests.transports.mqtt.client5 import disconnected, enter, publish, subscribe, unsubscribe
from tests.transports.mqtt.conftest import World, serving
from tests.transports.mqtt.recorder import until
from thingsboard.transports.mqtt import packets
from thingsboard.transports.mqtt.packets import packet, string

PUBREL, PUBREC, PUBCOMP = b"\x62\x02", b"\x50\x02", b"\x70\x02"


async def answer(port: int, first: bytes) -> bytes:
    """What a first packet is answered with; the connection must be closed behind it."""
    device = await Device.dial(port)
    device.send(first)
    reply = await device.receive()
    assert await device.closed()
    return reply


@pytest.mark.parametrize(
    ("user", "client_id", "code"),
    [("NOBODY", "anything", 0x86), ("", "anything", 0x86), (None, "anything", 0x85), (None, "", 0x87)],
)
async def test_who_is_not_known_is_told_so(world: World, user: str | None, client_id: str, code: int) -> None:
    async with serving() as front:
        assert await answer(front.port, client5.connect(user, client_id)) == bytes((0x20, 3, 0, code, 0))


async def test_an_acceptance_says_what_we_can(world: World) -> None:
    async with serving(max_unacked=20, max_payload=3000) as front:
        device = await Device.dial(front.port)
        device.send(client5.connect("ONE", "mine", will=b"\0" + string("t") + b"\x00\x01w", password=b"x"))
        said = {
            0x21: b"\0\x14",
            0x22: b"\0\x10",
            0x25: b"\0",
            0x27: b"\0\0\x0b\xb8",
            0x28: b"\1",
            0x29: b"\0",
            0x2A: b"\0",
        }
        assert client5.connack(await device.receive()) == (0, said)
        device.send(b"\xc0\x00")
        assert await device.receive() == packets.PINGRESP


async def test_who_brings_no_client_id_gets_one_and_no_session_outlives_its_connection(world: World) -> None:
    async with serving() as front:
        given = set()
        for token in ("ONE", "TWO"):
            device = await Device.dial(front.port)
            device.send(client5.connect(token, "", properties=b"\x11\x00\x00\x0e\x10", flags=0))
            code, said = client5.connack(await device.receive())
            assert (code, said[0x11]) == (0, b"\0\0\0\0")
            given.add(said[0x12])
        assert len(given) == 2


@pytest.mark.parametrize(
    ("first", "code", "reason"),
    [
        (client5.connect("ONE", properties=b"\x15" + string("SCRAM")), 0x8C, "auth"),
        (client5.connect("ONE", properties=b"\x16\x00\x01x"), 0x82, "protocol"),
        (client5.connect("ONE", properties=b"\x21\x00\x01" * 2), 0x82, "protocol"),
        (client5.connect("ONE", properties=b"\x21\x00\x00"), 0x82, "protocol"),
        (client5.connect("ONE", properties=b"\x23\x00\x01"), 0x81, "properties"),
        (client5.connect("ONE", flags=0x03), 0x81, "connect"),
        (packet(0x10, string("MQTT") + b"\x05\x82\0\0\x80\x80\x80\x80\x01"), 0x81, "properties"),
        (packet(0x10, string("MQTT") + b"\x05\x82\0\0\x05\x11\0"), 0x81, "properties"),
        (packet(0x10, string("MQTT") + b"\x05\x82\0\0\x00" + string("id") + string("ONE") + b"!"), 0x81, "connect"),
    ],
)
async def test_a_malformed_connect_is_refused_and_counted(world: World, first: bytes, code: int, reason: str) -> None:
    async with serving() as front:
        assert await answer(front.port, first) == bytes((0x20, 3, 0, code, 0))
        assert front.counted(reason) == 1
        await until(lambda: not front.server.connections)


async def test_messages_are_stored_with_every_qos_with_properties_and_without(world: World) -> None:
    async with serving() as front:
        device = await enter(front.port, "ONE")
        extras = b"\x01\x01\x03" + string("json") + b"\x26" + string("a") + string("b")
        for packet_id, properties in ((1, b""), (2, extras)):
            device.send(publish(b"quiet", properties=properties))
            device.send(publish(b"loud", packet_id, properties=properties))
            assert await device.receive() == puback(packet_id)
            device.send(publish(b"once", packet_id + 10, qos=2, properties=properties))
            device.send(publish(b"once", packet_id + 10, qos=2, properties=properties))
            assert await device.receive() == PUBREC + bytes((0, packet_id + 10))
            device.send(b"\x62\x04" + bytes((0, packet_id + 10)) + b"\0\0")
            reply = await device.receive()
            assert (reply if reply[0] == 0x70 else await device.receive()) == PUBCOMP + bytes((0, packet_id + 10))
        device.send(publish(b"") + publish(b"", 30) + publish(b"x", 31))
        await until(lambda: len(front.ingest.payloads) == 9)
        assert front.ingest.payloads == [b"quiet", b"loud", b"once"] * 2 + [b"", b"", b"x"]


async def test_properties_that_come_again_and_again_are_read_as_the_first_time(world: World) -> None:
    alias = b"\x23\x00\x01"
    sections = (b"\x01\x01", b"\x26" + string("a") + string("b"), alias)
    async with serving() as front:
        other = await enter(front.port, "TWO", client_id="other")
        device = await enter(front.port, "ONE")
        for n in range(1, 31):
            device.send(publish(b"%d" % n, n, properties=sections[n % 3]))
            assert await device.receive() == puback(n)
        device.send(publish(b"31", 31, topic="", properties=alias))
        assert await device.receive() == puback(31)
        device.send(publish(b"32", 32, topic=ATTRIBUTES, properties=alias) + publish(b"33", topic="", properties=alias))
        assert await device.receive() == puback(32)
        await until(lambda: len(front.ingest.payloads) == 33)
        assert front.ingest.payloads == [b"%d" % n for n in range(1, 34)]
        kinds = [each.kind for each in front.ingest.sink.stored]
        assert kinds[-1] == kinds[-2] != kinds[-3]
        # What one device has set stands for nothing with another, though its properties are known.
        other.send(publish(b"x", 1, topic="", properties=alias))
        assert await other.receive() == disconnected(0x94)
        assert await other.closed()
        assert front.counted("topic_alias") == 1
        device.send(publish(b"x", 0, qos=1, properties=alias))
        while await device.receive():
            pass
        assert front.counted("packet_id") == 1


async def test_familiar_properties_do_not_lift_the_receive_maximum(world: World) -> None:
    async with serving(max_unacked=5) as front:
        front.ingest.sink.release.clear()
        device = await enter(front.port, "ONE")
        device.send(b"".join(publish(b"%d" % n, n, properties=b"\x01\x01") for n in range(1, 8)))
        front.ingest.sink.release.set()
        said = []
        while answer := await device.receive():
            said.append(answer)
        assert said[-1] == disconnected(0x93)
        assert front.counted("receive_maximum") == 1


async def test_a_topic_alias_stands_for_its_topic_and_a_wrong_one_ends_the_connection(world: World) -> None:
    async with serving() as front:
        device = await enter(front.port, "ONE")
        device.send(publish(b"1", 1, properties=b"\x23\x00\x02"))
        device.send(publish(b"2", 2, topic="", properties=b"\x23\x00\x02"))
        assert [await device.receive(), await device.receive()] == [puback(1), puback(2)]
        assert front.ingest.payloads == [b"1", b"2"]
        device.send(publish(b"3", 3, topic="", properties=b"\x23\x00\x03"))
        assert await device.receive() == disconnected(0x94)
        assert await device.closed()
        device = await enter(front.port, "ONE")
        device.send(publish(b"4", 4, topic="", properties=b"\x23\x00\x02"))  # aliases end with their connection
        assert await device.receive() == disconnected(0x94)
        assert front.counted("topic_alias") == 2


async def test_a_refused_message_has_its_own_answer_and_the_session_stays(world: World) -> None:
    async with serving() as front:
        device = await enter(front.port, "ONE", properties=b"\x17\x00")
        device.send(publish(b"good", 1) + publish(b"refuse", 2) + publish(b"refuse", 3, qos=2) + publish(b"refuse"))
        device.send(publish(b"later", 4) + publish(b"again", 3, qos=2))
        replies = [await device.receive() for _ in range(4)]
        assert set(replies) == {puback(1), b"\x40\x03\x00\x02\x99", b"\x50\x03\x00\x03\x99", puback(4)}
        device.send(publish(b"again", 3, qos=2))
        assert await device.receive() == PUBREC + b"\0\3"
        device.send(PUBREL + b"\0\3" + PUBREL + b"\0\3")
        assert [await device.receive(), await device.receive()] == [PUBCOMP + b"\0\3", b"\x70\x03\0\3\x92"]
        assert front.ingest.payloads[:2] == [b"good", b"later"]
        assert front.ingest.payloads[2:] == [b"again"]
        assert front.counted("payload") == 3


async def test_a_refusal_says_why(world: World) -> None:
    async with serving() as front:
        device = await enter(front.port, "ONE")
        device.send(publish(b"refuse", 2))
        assert (await device.receive()).endswith(b"It asks to be refused.")


async def test_an_unknown_topic_is_answered_as_such_and_the_session_stays(world: World) -> None:
    async with serving() as front:
        device = await enter(front.port, "ONE", properties=b"\x17\x00")
        device.send(publish(b"{}", 1, topic="home/kitchen") + publish(b"{}", 2, topic="home/kitchen", qos=2))
        device.send(publish(b"{}", topic="home/kitchen") + publish(b"{}", 3, topic="v1/devices/me/claim"))
        replies = [await device.receive() for _ in range(3)]
        assert replies == [b"\x40\x03\x00\x01\x90", b"\x50\x03\x00\x02\x90", puback(3)]
        device.send(publish(b"x", 2, qos=2))
        assert await device.receive() == PUBREC + b"\0\2"


@pytest.mark.parametrize(
    ("bad", "code", "reason"),
    [
        (client5.connect("ONE"), 0x82, "second_connect"),
        (publish(b"{}", 0, qos=1), 0x82, "packet_id"),
        (publish(b"{}", 1, qos=3), 0x81, "qos"),
        (publish(b"{}", 1, topic="v1/#"), 0x90, "topic"),
        (publish(b"{}", 1, topic=""), 0x82, "protocol"),
        (publish(b"{}", 1, properties=b"\x0b\x01"), 0x81, "properties"),
        (publish(b"{}", 1, properties=b"\x23\x00\x00"), 0x82, "protocol"),
        (publish(b"{}", 1, properties=b"\x08" + string("a/#")), 0x82, "protocol"),
        (publish(b"{}", 1, properties=b"\x01\x01\x01\x01"), 0x82, "protocol"),
        (packet(0x32, string(TELEMETRY) + b"\x00\x01\x7f"), 0x81, "properties"),
        (packet(0x32, string(TELEMETRY) + b"\x00\x01"), 0x81, "publish"),
        (b"\x30\xff\xff\xff\xff\x01", 0x81, "length"),
        (b"\x30\xff\xff\xff\x7f", 0x95, "packet_size"),
        (publish(b"x" * 65537), 0x95, "payload_size"),
        (subscribe("v2/a", properties=b"\x0b\x01"), 0xA1, "subscription_id"),
        (subscribe("v2/a", options=0x41), 0x81, "subscribe"),
        (subscribe("v2/a", options=0x03), 0x81, "subscribe"),
        (subscribe("v2/a", options=0x31), 0x82, "protocol"),
        (subscribe("v2/a", packet_id=0), 0x82, "packet_id"),
        (subscribe(), 0x81, "subscribe"),
        (unsubscribe(), 0x81, "subscribe"),
        (b"\xf0\x00", 0x82, "auth"),
        (b"\x20\x03\0\0\0", 0x81, "packet_type"),
        (b"\x40\x01\0", 0x81, "answer"),
        (b"\x40\x05\0\1\0\0!", 0x81, "answer"),
        (b"\xe0\x07\x00\x05\x11\x00\x00\x00\x01", 0x82, "protocol"),
    ],
)
async def test_a_malformed_packet_ends_its_connection_alone(world: World, bad: bytes, code: int, reason: str) -> None:
    async with serving() as front:
        device, other = await enter(front.port, "ONE"), await enter(front.port, "TWO")
        device.send(publish(b"before", 1) + bad + publish(b"behind", 2))
        other.send(publish(b"other", 1))
        reply = await device.receive()
        assert (await device.receive() if reply == puback(1) else reply) == disconnected(code)
        assert await device.closed()
        assert await other.receive() == puback(1)
        await until(lambda: set(front.ingest.payloads) == {b"before", b"other"})
        assert front.counted(reason) == 1


async def test_who_sends_more_than_the_receive_maximum_is_told_so(world: World) -> None:
    async with serving(max_unacked=5) as front:
        device = await enter(front.port, "ONE")
        for start in range(1, 101, 5):
            device.send(b"".join(publish(b"x", n) for n in range(start, start + 5)))
            assert [await device.receive() for _ in range(5)] == [puback(n) for n in range(start, start + 5)]
        device.send(b"".join(publish(b"x") for _ in range(20)))
        await until(lambda: len(front.ingest.payloads) == 120)
        front.ingest.sink.release.clear()
        device.send(b"".join(publish(b"x", n) for n in range(1, 7)))
        assert await device.receive() == disconnected(0x93)
        assert await device.closed()


@pytest.mark.parametrize("goodbye", [b"\xe0\x00", b"\xe0\x01\x04", b"\xe0\x02\x00\x00"])
async def test_disconnect_is_not_answered(world: World, goodbye: bytes) -> None:
    async with serving() as front:
        device = await enter(front.port, "ONE")
        device.send(publish(b"last") + goodbye + publish(b"too late"))
        assert await device.closed()
        await until(lambda: front.ingest.payloads == [b"last"])
        assert not front.server.counters.by_reason


async def test_packets_may_be_cut_at_every_byte(world: World) -> None:
    async with serving() as front:
        stream = publish(b'{"a":1}', 1) + publish(b"x" * 300, 2, properties=b"\x23\x00\x01")
        stream += publish(b"z", 3, topic="", properties=b"\x23\x00\x01")
        device = await enter(front.port, "ONE")
        for cut in range(1, len(stream)):
            device.send(stream[:cut])
            await device.writer.drain()
            await asyncio.sleep(0)
            device.send(stream[cut:])
            assert [await device.receive() for _ in range(3)] == [puback(1), puback(2), puback(3)]
        assert len(front.ingest.payloads) == 3 * (len(stream) - 1)
