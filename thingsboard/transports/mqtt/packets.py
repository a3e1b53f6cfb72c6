"""MQTT 3.1 and 3.1.1 packets as bytes: CONNECT and SUBSCRIBE read strictly, and what the front answers itself."""

from typing import NamedTuple

ACCEPTED, BAD_VERSION, BAD_IDENTIFIER, UNAVAILABLE, BAD_USER, NOT_AUTHORIZED = range(6)

PUBACK, PUBREC, PUBCOMP = b"\x40\x02", b"\x50\x02", b"\x70\x02"  # the packet id follows
PINGRESP = b"\xd0\x00"

# The longest SUBSCRIBE or UNSUBSCRIBE, in filters.
MAX_FILTERS = 64


class Malformed(Exception):
    """A packet that breaks the protocol; `reason` is a short code for counters. The connection is closed."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


# A protocol level that never was: with it readiness checks ask whether MQTT is spoken (thingsboard/health/checks.py).
PROBE_LEVEL = 127


class WrongVersion(Exception):
    """A CONNECT of another protocol level than 3.1 and 3.1.1 have; `reason` is a short code."""

    def __init__(self, level: int) -> None:
        super().__init__(f"MQTT protocol level {level}")
        self.level = level
        self.reason = "probe" if level == PROBE_LEVEL else "version"


class Connect(NamedTuple):
    """What a CONNECT says. `keep_alive` is in seconds, 0 for none. Wills are read over: nobody could receive them."""

    level: int
    clean: bool
    keep_alive: int
    client_id: str
    user: str | None
    password: bytes | None


class Fields:
    """A cursor over the body of a packet; every read raises Malformed when the body is too short."""

    __slots__ = ("at", "body", "reason")

    def __init__(self, body: bytes, reason: str) -> None:
        self.body, self.at, self.reason = body, 0, reason

    def byte(self) -> int:
        """One byte."""
        if self.at >= len(self.body):
            raise Malformed(self.reason)
        self.at += 1
        return self.body[self.at - 1]

    def short(self) -> int:
        """Two bytes, big-endian."""
        return self.byte() << 8 | self.byte()

    def binary(self) -> bytes:
        """Two bytes of length and as many bytes."""
        end = self.short() + self.at
        if end > len(self.body):
            raise Malformed(self.reason)
        part, self.at = self.body[self.at : end], end
        return part

    def text(self) -> str:
        """A UTF-8 string; U+0000 and surrogates are protocol errors (MQTT 3.1.1, 1.5.3)."""
        try:
            text = self.binary().decode()
        except UnicodeDecodeError:
            raise Malformed("utf8") from None
        if "\0" in text:
            raise Malformed("utf8")
        return text

    def done(self) -> bool:
        """Whether everything was read."""
        return self.at == len(self.body)


def parse_connect(body: bytes) -> Connect:
    """Read what follows the fixed header of a CONNECT. Raises WrongVersion or Malformed."""
    fields = Fields(body, "connect")
    name, level = fields.binary(), fields.byte()
    if (name, level) not in ((b"MQTT", 4), (b"MQIsdp", 3)):
        if name in (b"MQTT", b"MQIsdp"):
            raise WrongVersion(level)
        raise Malformed("connect")
    flags, keep_alive = fields.byte(), fields.short()
    has_will, has_password, has_user = flags & 0x04, flags & 0x40, flags & 0x80
    if flags & 0x01 or flags & 0x18 == 0x18 or (not has_will and flags & 0x38) or (has_password and not has_user):
        raise Malformed("connect")
    client_id = fields.text()
    if has_will:
        fields.text()
        fields.binary()
    user = fields.text() if has_user else None
    password = fields.binary() if has_password else None
    if not fields.done():
        raise Malformed("connect")
    return Connect(level, bool(flags & 0x02), keep_alive, client_id, user, password)


def first_packet(data: bytes, limit: int) -> tuple[bytes | None, int]:
    """The body of the CONNECT that a connection must begin with, and where it ends; None while bytes are missing, and how
    many it takes (0: not known yet). Raises Malformed, also when the body is longer than `limit` bytes.
    """
    if data[0] != 0x10:
        raise Malformed("first_packet")
    length, start = remaining_length(data, 1)
    if length > limit:
        raise Malformed("connect_size")
    if length < 0:
        return None, 0
    end = start + length
    return (data[start:end] if end <= len(data) else None), end


def check_filters(body: bytes, with_qos: bool) -> None:
    """Raise Malformed unless this is the body of a SUBSCRIBE (or, without QoS, of an UNSUBSCRIBE)."""
    fields = Fields(body, "subscribe")
    if fields.short() == 0:
        raise Malformed("packet_id")
    for _ in range(MAX_FILTERS):
        if not fields.text() or (with_qos and fields.byte() > 2):
            raise Malformed("subscribe")
        if fields.done():
            return
    raise Malformed("subscribe")


def remaining_length(data: bytes, at: int) -> tuple[int, int]:
    """The remaining length at `at` and where the body starts; (-1, at) while its bytes are not all there.

    Raises Malformed after a fourth byte that goes on (MQTT 3.1.1, 2.2.3).
    """
    length = shift = 0
    for index in range(at, min(at + 4, len(data))):
        digit = data[index]
        length |= (digit & 0x7F) << shift
        if digit < 0x80:
            return length, index + 1
        shift += 7
    if shift == 28:
        raise Malformed("length")
    return -1, at


def packet(head: int, body: bytes) -> bytes:
    """A whole packet: first byte, remaining length, body."""
    length, digits = len(body), bytearray()
    while True:
        length, digit = length >> 7, length & 0x7F
        digits.append(digit | 0x80 if length else digit)
        if not length:
            return bytes((head,)) + digits + body


def string(text: str) -> bytes:
    """A UTF-8 string behind its length."""
    raw = text.encode()
    return len(raw).to_bytes(2, "big") + raw


def connack(code: int) -> bytes:
    """CONNACK with session present 0: no session outlives its connection."""
    return bytes((0x20, 2, 0, code))


def inner_connect(client_id: str, user: str) -> bytes:
    """The CONNECT that amqtt gets to see: 3.1.1, clean session, no will, no keep-alive, our own client id."""
    return packet(0x10, b"\x00\x04MQTT\x04\x82\x00\x00" + string(client_id) + string(user))
