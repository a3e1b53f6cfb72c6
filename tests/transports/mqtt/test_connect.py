"""Who may come in, and what the others are told."""

import pytest
from django.db import connections

from devices.models import DeviceProfile
from tests.transports.mqtt.client import Device, connect, puback, publish, subscribe
from tests.transports.mqtt.conftest import World, serving
from tests.transports.mqtt.recorder import until
from thingsboard.transports.mqtt import packets
from thingsboard.transports.mqtt.packets import packet, string


async def answer(port: int, first: bytes) -> bytes:
    """What a first packet is answered with; the connection must be closed behind a refusal."""
    device = await Device.dial(port)
    device.send(first)
    reply = await device.receive()
    if reply != packets.connack(packets.ACCEPTED):
        assert not reply or await device.closed()
    await device.leave()
    return reply


@pytest.mark.parametrize(
    ("user", "client_id", "code"),
    [
        ("ONE", "anything", packets.ACCEPTED),
        ("ONE", "", packets.ACCEPTED),
        ("NOBODY", "anything", packets.NOT_AUTHORIZED),
        ("", "anything", packets.NOT_AUTHORIZED),
        (None, "anything", packets.BAD_IDENTIFIER),
        (None, "", packets.NOT_AUTHORIZED),
    ],
)
async def test_the_token_decides(world: World, user: str | None, client_id: str, code: int) -> None:
    async with serving() as front:
        assert await answer(front.port, connect(user, client_id)) == packets.connack(code)


async def test_the_password_and_a_will_do_not_matter(world: World) -> None:
    async with serving() as front:
        assert await answer(front.port, connect("ONE", password="x", will=("t", b"w"))) == packets.connack(0)


@pytest.mark.parametrize("clean", [0, 2])
async def test_mqtt_3_1_is_spoken(world: World, clean: int) -> None:
    async with serving() as front:
        device = await Device.enter(front.port, "ONE", level=3, flags=clean)
        device.send(publish(b"{}", 1))
        assert await device.receive() == puback(1)


async def test_other_versions_are_refused_in_their_own_words(world: World) -> None:
    async with serving() as front:
        assert await answer(front.port, connect("ONE", level=6)) == b"\x20\x03\x00\x84\x00"
        for name, level in (("MQTT", 3), ("MQIsdp", 4), ("MQTT", 0)):
            other = packet(0x10, string(name) + bytes((level,)) + b"\x82\x00\x3c" + string("id") + string("ONE"))
            assert await answer(front.port, other) == packets.connack(packets.BAD_VERSION)
        assert front.counted("version") == 4


@pytest.mark.parametrize(
    ("first", "reason"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", "first_packet"),
        (publish(b"{}", 1), "first_packet"),
        (b"\xc0\x00", "first_packet"),
        (b"\x11\x00", "first_packet"),
        (b"\x10\xff\xff\xff\xff\x01", "length"),
        (b"\x10\xff\xff\x03", "connect_size"),
        (b"\x10\x00", "connect"),
        (packet(0x10, string("MQTT") + b"\x04\x03\0\0" + string("x")), "connect"),  # reserved flag
        (
            packet(0x10, string("MQTT") + b"\x04\x1e\0\0" + string("x") + string("t") + string("w")),
            "connect",
        ),  # will QoS 3
        (packet(0x10, string("MQTT") + b"\x04\x42\0\0" + string("x") + string("p")), "connect"),  # password, no user
        (packet(0x10, string("MQTT") + b"\x04\x22\0\0" + string("x")), "connect"),  # will flags, no will
        (packet(0x10, string("MQIT") + b"\x04\x02\0\0" + string("x")), "connect"),
        (packet(0x10, string("MQTT") + b"\x04\x82\0\0" + string("x") + b"\x00\x09abc"), "connect"),  # runs over the end
        (packet(0x10, string("MQTT") + b"\x04\x82\0\0" + string("x") + string("ONE") + b"!"), "connect"),
        (packet(0x10, string("MQTT") + b"\x04\x82\0\0" + string("x") + b"\x00\x02\xff\xfe"), "utf8"),
        (packet(0x10, string("MQTT") + b"\x04\x82\0\0" + string("x") + b"\x00\x03\xed\xa0\x80"), "utf8"),  # a surrogate
        (packet(0x10, string("MQTT") + b"\x04\x82\0\0" + string("x") + string("O\0NE")), "utf8"),
    ],
)
async def test_a_malformed_first_packet_is_closed_and_counted(world: World, first: bytes, reason: str) -> None:
    async with serving() as front:
        assert await answer(front.port, first) == b""
        assert front.counted(reason) == 1
        await until(lambda: not front.server.connections)


@pytest.fixture
def transports(world: World) -> None:
    """A device COAP and a device MQTT, of profiles with these transport types."""
    for transport in ("COAP", "MQTT"):
        profile = DeviceProfile.objects.create(tenant=world.profile.tenant, name=transport, transport_type=transport)
        world.device(transport, profile)


async def test_a_device_of_another_transport_is_refused(transports: None) -> None:
    async with serving() as front:
        assert await answer(front.port, connect("COAP")) == packets.connack(packets.UNAVAILABLE)
        assert await answer(front.port, connect("MQTT")) == packets.connack(packets.ACCEPTED)


async def test_without_the_database_a_connect_is_told_to_come_back_later(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving() as front:
        with monkeypatch.context() as moved:
            moved.setitem(connections["default"].settings_dict, "HOST", "/nowhere")
            assert await answer(front.port, connect("ONE")) == packets.connack(packets.UNAVAILABLE)
        assert await answer(front.port, connect("ONE")) == packets.connack(packets.ACCEPTED)


async def test_who_never_sends_a_connect_is_cut(world: World) -> None:
    async with serving(connect_timeout=0.1) as front:
        nothing, half = await Device.dial(front.port), await Device.dial(front.port)
        half.send(connect("ONE")[:9])
        assert await nothing.closed()
        assert await half.closed()
        assert front.counted("connect_timeout") == 2
        assert not front.server.connections


async def test_places_are_limited_and_never_leak(world: World) -> None:
    async with serving(max_connections=3) as front:
        for first in (connect("NOBODY"), connect("ONE", level=6), b"\xc0\x00", connect("ONE")):
            for _ in range(5):
                await answer(front.port, first)
        await until(lambda: not front.server.connections)
        held = [await Device.enter(front.port, token) for token in ("ONE", "TWO", "STRANGER")]
        surplus = await Device.dial(front.port)
        assert await surplus.closed()
        assert front.counted("too_many_connections") == 1
        await held[0].leave()
        await until(lambda: len(front.server.connections) == 2)
        await Device.enter(front.port, "ONE")


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (connect("ONE"), "second_connect"),
        (publish(b"{}", 0, qos=1), "packet_id"),
        (publish(b"{}", 0, qos=2), "packet_id"),
        (publish(b"{}", 1, qos=3), "qos"),
        (publish(b"{}", 1, topic=""), "topic"),
        (publish(b"{}", 1, topic="v1/devices/+/telemetry"), "topic"),
        (publish(b"{}", 1, topic="v1/#"), "topic"),
        (publish(b"{}", 1, topic="a\0b"), "topic"),
        (packet(0x32, b"\x00\x02\xff\xfe\x00\x01{}"), "utf8"),
        (packet(0x30, b"\x00"), "publish"),
        (packet(0x32, b"\x00\x17v1/devices/me/telemetry\x00"), "publish"),
        (packet(0x30, b"\xff\xffv1/devices/me/telemetry"), "publish"),
        (b"\x30\xff\xff\xff\xff\x01", "length"),
        (b"\x30\xff\xff\xff\x7f", "packet_size"),
        (packet(0x82, b"\0\0" + string("v2/a") + b"\1"), "packet_id"),
        (packet(0x82, b"\0\1"), "subscribe"),
        (packet(0x82, b"\0\1" + string("v2/a")), "subscribe"),
        (packet(0x82, b"\0\1" + string("v2/a") + b"\3"), "subscribe"),
        (subscribe(*["v2/a"] * 65), "subscribe"),
        (packet(0xA2, b"\0\1"), "subscribe"),
        (packet(0x80, b"\0\1" + string("v2/a") + b"\1"), "packet_type"),
        (b"\x20\x02\0\0", "packet_type"),
        (b"\x00\x00", "packet_type"),
        (b"\xf0\x00", "packet_type"),
        (b"\x62\x00", "packet_type"),
        (b"\x50\x02\0\1", "packet_type"),
    ],
)
async def test_a_malformed_packet_closes_its_connection_alone(world: World, bad: bytes, reason: str) -> None:
    async with serving() as front:
        device, other = await Device.enter(front.port, "ONE"), await Device.enter(front.port, "TWO")
        device.send(publish(b"before", 1) + bad + publish(b"behind", 2))
        other.send(publish(b"other", 1))
        assert await device.receive() == puback(1)
        assert await other.receive() == puback(1)
        await until(lambda: len(front.ingest.payloads) == 2)
        assert set(front.ingest.payloads) == {b"before", b"other"}
        assert front.counted(reason) == 1
        await until(lambda: len(front.server.connections) == 1)


async def test_disconnect_closes_and_what_was_sent_is_kept(world: World) -> None:
    async with serving() as front:
        device = await Device.enter(front.port, "ONE")
        device.send(publish(b"last") + b"\xe0\x00" + publish(b"too late"))
        assert await device.closed()
        await until(lambda: front.ingest.payloads == [b"last"])
        assert not front.server.counters.by_reason
