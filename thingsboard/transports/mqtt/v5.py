"""MQTT 5 packets as bytes, from and to the 3.1.1 that the front and amqtt speak. Pure functions, no state.

What is read is read strictly; every function that reads raises Malformed and nothing else. The state of a connection
that these need is in dialect.py.
"""

from typing import Any, Final, NamedTuple

from thingsboard.transports.mqtt import packets, properties
from thingsboard.transports.mqtt.packets import Connect, Fields, Malformed, WrongVersion, packet, string
from thingsboard.transports.mqtt.properties import read_properties

SUCCESS, UNSPECIFIED, MALFORMED, PROTOCOL, SPECIFIC = 0x00, 0x80, 0x81, 0x82, 0x83
NO_SUBSCRIPTION, BAD_FILTER, BAD_TOPIC, NO_SUCH_ID, QUOTA, BAD_PAYLOAD = 0x11, 0x8F, 0x90, 0x92, 0x97, 0x99

# CONNACK: the 3.1.1 return codes in the words of MQTT 5 (compat/device_transports.md 2.1), and what is more precise.
REFUSALS: Final = {
    packets.BAD_VERSION: 0x84,
    packets.BAD_IDENTIFIER: 0x85,
    packets.UNAVAILABLE: 0x88,
    packets.BAD_USER: 0x86,
    packets.NOT_AUTHORIZED: 0x87,
}
PRECISE_REFUSALS: Final = {"wrong_token": 0x86, "connect_rate": 0x9F, "blocked": 0x8A}

# DISCONNECT, by the reason that is counted; all others are malformed packets.
GOODBYES: Final = {
    "credentials": 0x87,
    "shutdown": 0x8B,
    "unavailable": 0x8B,
    "silence": 0x8D,
    "takeover": 0x8E,
    "topic": BAD_TOPIC,
    "receive_maximum": 0x93,
    "unreleased": 0x93,
    "topic_alias": 0x94,
    "packet_size": 0x95,
    "payload_size": 0x95,
    "user_properties": QUOTA,
    "internal": SPECIFIC,
    "subscription_id": 0xA1,
    "auth": PROTOCOL,
    "early_release": PROTOCOL,
    "packet_id": PROTOCOL,
    "protocol": PROTOCOL,
    "second_connect": PROTOCOL,
}
# What a DISCONNECT says beside its code. It must say something: tb-mqtt-client's paho takes one of one or two bytes for a
# normal end.
FAREWELLS: Final = {
    MALFORMED: "Malformed packet",
    PROTOCOL: "Protocol error",
    SPECIFIC: "Internal error",
    0x87: "The device's credentials were changed",
    0x8B: "The server stops",
    0x8D: "Silent for too long",
    0x8E: "The device has connected anew",
    BAD_TOPIC: "No topic may look like this",
    0x93: "More than Receive Maximum",
    0x94: "Unknown topic alias",
    0x95: "The packet is too large",
    QUOTA: "Too many user properties",
    0xA1: "There are no subscription identifiers",
}
# PUBACK and PUBREC of a message that ingest refused, by the code of the refusal. Others end the connection.
MESSAGE_REFUSALS: Final = {"payload": BAD_PAYLOAD, "data": BAD_PAYLOAD, "key": BAD_PAYLOAD, "key_limit": QUOTA}

MAX_REASON_STRING = 200  # characters


class Terms(NamedTuple):
    """What a client's CONNECT asks of us: counts, bytes, seconds."""

    receive_maximum: int = 65535
    maximum_packet: int = 2**28 + 4
    session_expiry: int = 0
    problem_information: bool = True


class Unwelcome(Exception):
    """A CONNECT that cannot be accepted whoever sent it; `answer` says so, `reason` is for the counters."""

    def __init__(self, answer: bytes, reason: str) -> None:
        super().__init__(reason)
        self.answer, self.reason = answer, reason


def read_connect(body: bytes) -> tuple[Connect, Terms | None]:
    """A CONNECT of any version we speak, with terms when it is MQTT 5.

    Raises Malformed, or Unwelcome where the other side can be told in its own words.
    """
    try:
        connect = packets.parse_connect(body)
        if connect.level == 4 and not connect.client_id and not connect.clean:
            raise Unwelcome(packets.connack(packets.BAD_IDENTIFIER), "client_id")  # MQTT 3.1.1, 3.1.3-8
        return connect, None
    except WrongVersion as wrong:
        if wrong.level < 5:
            raise Unwelcome(packets.connack(packets.BAD_VERSION), wrong.reason) from None
        if wrong.level > 5 or not body.startswith(b"\x00\x04MQTT"):
            raise Unwelcome(refusal(0x84), wrong.reason) from None
    try:
        return parse_connect(body)
    except Malformed as error:
        raise Unwelcome(refusal(goodbye_code(error.reason)), error.reason) from None


def parse_connect(body: bytes) -> tuple[Connect, Terms]:
    """What follows the fixed header of an MQTT 5 CONNECT. Raises Malformed, and Unwelcome to enhanced authentication."""
    fields = Fields(body, "connect")
    if fields.binary() != b"MQTT" or fields.byte() != 5:
        raise Malformed("connect")
    flags, keep_alive = fields.byte(), fields.short()
    has_will = flags & 0x04
    if flags & 0x01 or flags & 0x18 == 0x18 or (not has_will and flags & 0x38):
        raise Malformed("connect")
    found = read_properties(fields, properties.OF_CONNECT)
    client_id = fields.text()
    if has_will:
        read_properties(fields, properties.OF_WILL)
        fields.text()
        fields.binary()
    user = fields.text() if flags & 0x80 else None
    password = fields.binary() if flags & 0x40 else None
    if not fields.done():
        raise Malformed("connect")
    if properties.AUTH_METHOD in found:
        raise Unwelcome(refusal(0x8C), "auth")
    if properties.AUTH_DATA in found:
        raise Malformed("protocol")
    terms = Terms(
        found.get(properties.RECEIVE_MAXIMUM, 65535),
        found.get(properties.MAXIMUM_PACKET_SIZE, 2**28 + 4),
        found.get(properties.SESSION_EXPIRY, 0),
        found.get(properties.PROBLEM_INFORMATION, 1) == 1,
    )
    return Connect(5, bool(flags & 0x02), keep_alive, client_id, user, password), terms


def parse_publish(body: bytes, qos: int) -> tuple[bytes, bytes, int, bytes]:
    """Topic, packet id (b"" for QoS 0), topic alias (0 for none) and payload. Raises Malformed."""
    fields = Fields(body, "publish")
    topic = fields.binary()
    if qos == 3:
        raise Malformed("qos")
    packet_id = fields.short().to_bytes(2, "big") if qos else b""
    found = read_properties(fields, properties.OF_PUBLISH)
    answers_to = found.get(properties.RESPONSE_TOPIC, "")
    if "+" in answers_to or "#" in answers_to:
        raise Malformed("protocol")
    return topic, packet_id, found.get(properties.TOPIC_ALIAS, 0), body[fields.at :]


def plain_answer(body: bytes) -> bytes:
    """The packet id of a PUBACK, PUBREC, PUBREL or PUBCOMP, whose reason and properties are read over."""
    fields = Fields(body, "answer")
    packet_id = fields.short()
    if not fields.done():
        fields.byte()
        _read_to_the_end(fields, properties.OF_ANSWER)
    return packet_id.to_bytes(2, "big")


def plain_subscribe(body: bytes) -> bytes:
    """The body of a SUBSCRIBE in 3.1.1: options other than the QoS change nothing here."""
    fields = Fields(body, "subscribe")
    plain = bytearray(fields.short().to_bytes(2, "big"))
    if properties.SUBSCRIPTION_ID in read_properties(fields, properties.OF_SUBSCRIBE):
        raise Malformed("subscription_id")  # CONNACK said that there are none
    for _ in range(packets.MAX_FILTERS + 1):
        if fields.done():
            break
        plain += string(fields.text())
        options = fields.byte()
        if options & 0xC0 or options & 0x03 == 3:
            raise Malformed("subscribe")
        if options & 0x30 == 0x30:
            raise Malformed("protocol")
        plain.append(options & 0x03)
    return bytes(plain)


def plain_unsubscribe(body: bytes) -> bytes:
    """The body of an UNSUBSCRIBE in 3.1.1."""
    fields = Fields(body, "subscribe")
    packet_id = fields.short().to_bytes(2, "big")
    read_properties(fields, properties.OF_UNSUBSCRIBE)
    return packet_id + body[fields.at :]


def filters_of(plain: bytes, with_qos: bool) -> list[str]:
    """The filters of a SUBSCRIBE or UNSUBSCRIBE in 3.1.1. Raises Malformed."""
    fields, filters = Fields(plain, "subscribe"), []
    fields.short()
    while not fields.done():
        filters.append(fields.text())
        if with_qos:
            fields.byte()
    return filters


def check_disconnect(body: bytes, session_expiry: int) -> None:
    """Raise Malformed unless this is the body of a client's DISCONNECT.

    A session that CONNECT asked to end with the connection cannot be prolonged by it (MQTT 5.0, 3.14.2.2.2).
    """
    fields = Fields(body, "disconnect")
    if fields.done():
        return
    fields.byte()
    if _read_to_the_end(fields, properties.OF_DISCONNECT).get(properties.SESSION_EXPIRY) and not session_expiry:
        raise Malformed("protocol")


def _read_to_the_end(fields: Fields, allowed: frozenset[int]) -> dict[int, Any]:
    """Properties that may be left out and after which nothing comes."""
    if fields.done():
        return properties.NONE
    found = read_properties(fields, allowed)
    if not fields.done():
        raise Malformed(fields.reason)
    return found


def refusal(code: int) -> bytes:
    """CONNACK: no session, a reason code, no properties."""
    return bytes((0x20, 3, 0, code, 0))


def welcome(terms: Terms, *, receive_maximum: int, maximum_packet: int, aliases: int, assigned: str) -> bytes:
    """CONNACK of an accepted connection; `assigned` is the client id we gave, "" when it brought its own."""
    told = bytearray((properties.RETAIN_AVAILABLE, 0, properties.WILDCARDS_AVAILABLE, 1))
    told += bytes((properties.SUBSCRIPTION_IDS_AVAILABLE, 0, properties.SHARED_AVAILABLE, 0))
    told += bytes((properties.RECEIVE_MAXIMUM,)) + receive_maximum.to_bytes(2, "big")
    told += bytes((properties.MAXIMUM_PACKET_SIZE,)) + maximum_packet.to_bytes(4, "big")
    told += bytes((properties.TOPIC_ALIAS_MAXIMUM,)) + aliases.to_bytes(2, "big")
    if terms.session_expiry:  # no session outlives its connection
        told += bytes((properties.SESSION_EXPIRY, 0, 0, 0, 0))
    if assigned:
        told += bytes((properties.ASSIGNED_CLIENT_ID,)) + string(assigned)
    return packet(0x20, bytes((0, 0, len(told))) + told)


def goodbye_code(reason: str) -> int:
    """The reason code of MQTT 5 for a reason of our counters."""
    return GOODBYES.get(reason, MALFORMED)


def goodbye(reason: str, largest: int = 2**28) -> bytes:
    """DISCONNECT, with a sentence where the client takes a packet of that size (bytes)."""
    code = goodbye_code(reason)
    text = string(FAREWELLS.get(code, "Closed"))
    said = packet(0xE0, bytes((code, len(text) + 1, properties.REASON_STRING)) + text)
    return said if len(said) <= largest else bytes((0xE0, 1, code))


def refused(ack: bytes, code: int, why: str = "") -> bytes:
    """PUBACK or PUBREC with a reason code instead of the `ack` that success has, and a sentence."""
    if not why:
        return bytes((ack[0], 3)) + ack[2:] + bytes((code,))
    text = why.replace("\0", "")[:MAX_REASON_STRING].encode(errors="replace")
    told = bytes((properties.REASON_STRING,)) + len(text).to_bytes(2, "big") + text
    length = packet(0, told)[1 : -len(told)]  # a body stands behind the variable byte integer that we need
    return packet(ack[0], ack[2:] + bytes((code,)) + length + told)


def publish(plain: bytes) -> bytes:
    """A PUBLISH of 3.1.1 with its empty properties."""
    _, start = packets.remaining_length(plain, 1)
    at = start + 2 + (plain[start] << 8 | plain[start + 1]) + (2 if plain[0] & 0x06 else 0)
    return packet(plain[0], plain[start:at] + b"\0" + plain[at:])


def suback(plain: bytes) -> bytes:
    """A SUBACK of 3.1.1; what is not granted is a bad filter."""
    _, start = packets.remaining_length(plain, 1)
    codes = bytes(BAD_FILTER if code & 0x80 else code for code in plain[start + 2 :])
    return packet(plain[0], plain[start : start + 2] + b"\0" + codes)
