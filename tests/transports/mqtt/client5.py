"""What a device says in MQTT 5, byte by byte; the properties are given as bytes, without their length."""

from tests.transports.mqtt.client import TELEMETRY, Device
from thingsboard.transports.mqtt import packets
from thingsboard.transports.mqtt.packets import packet, string
from thingsboard.transports.mqtt.v5 import FAREWELLS


def props(properties: bytes) -> bytes:
    """Properties behind their length."""
    return packet(0, properties)[1:]


def connect(
    user: str | None = None,
    client_id: str = "device",
    *,
    keep_alive: int = 60,
    flags: int = 0x02,
    properties: bytes = b"",
    will: bytes | None = None,
    password: bytes | None = None,
) -> bytes:
    """A CONNECT; `will` is everything of it: properties, topic, payload."""
    tail = string(client_id)
    if will is not None:
        flags |= 0x04
        tail += will
    if user is not None:
        flags |= 0x80
        tail += string(user)
    if password is not None:
        flags |= 0x40
        tail += len(password).to_bytes(2, "big") + password
    head = string("MQTT") + bytes((5, flags)) + keep_alive.to_bytes(2, "big")
    return packet(0x10, head + props(properties) + tail)


def publish(
    payload: bytes, packet_id: int = 0, *, topic: str = TELEMETRY, qos: int | None = None, properties: bytes = b""
) -> bytes:
    """A PUBLISH: QoS 1 when a packet id is given, else 0."""
    qos = (1 if packet_id else 0) if qos is None else qos
    middle = packet_id.to_bytes(2, "big") if qos else b""
    return packet(0x30 | qos << 1, string(topic) + middle + props(properties) + payload)


def subscribe(*filters: str, packet_id: int = 1, options: int = 1, properties: bytes = b"") -> bytes:
    """A SUBSCRIBE."""
    wishes = b"".join(string(each) + bytes((options,)) for each in filters)
    return packet(0x82, packet_id.to_bytes(2, "big") + props(properties) + wishes)


def unsubscribe(*filters: str, packet_id: int = 1, properties: bytes = b"") -> bytes:
    """An UNSUBSCRIBE."""
    return packet(0xA2, packet_id.to_bytes(2, "big") + props(properties) + b"".join(map(string, filters)))


def disconnected(code: int) -> bytes:
    """The DISCONNECT of the server: the code and a sentence."""
    return packet(0xE0, bytes((code,)) + props(b"\x1f" + string(FAREWELLS[code])))


def connack(said: bytes) -> tuple[int, dict[int, bytes]]:
    """Reason code and properties of a CONNACK."""
    assert said[0] == 0x20
    assert said[2] == 0
    lengths = {0x11: 4, 0x13: 2, 0x21: 2, 0x22: 2, 0x25: 1, 0x27: 4, 0x28: 1, 0x29: 1, 0x2A: 1}
    found, at = {}, 5
    while at < len(said):
        name = said[at]
        length = lengths.get(name) or 2 + (said[at + 1] << 8 | said[at + 2])
        found[name] = said[at + 1 : at + 1 + length]
        at += 1 + length
    return said[3], found


async def enter(port: int, token: str, **more: object) -> Device:
    """Connect with the token and read the CONNACK."""
    device = await Device.dial(port)
    device.send(connect(token, **more))  # type: ignore[arg-type]
    code, _ = connack(await device.receive())
    assert code == packets.ACCEPTED
    return device
