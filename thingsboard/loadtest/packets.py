"""The bytes of MQTT 3.1.1 that a device of a load test says and hears."""

TOPIC = b"v1/devices/me/telemetry"
DISCONNECT = b"\xe0\x00"
CONNACK, PUBACK = 0x20, 0x40

# The packet keeps its length whatever the number of the message: 13 digits of ts (until 2286), 7 of the counter.
COUNTER_FIRST = 1_000_000
COUNTER_SPAN = 9_000_000

REFUSALS = {
    1: "unacceptable protocol version",
    2: "client id rejected",
    3: "server unavailable",
    4: "bad user name or password",
    5: "not authorized",
}


def counter_of(number: int) -> int:
    """The `pulseCounter` of a device's message `number`."""
    return COUNTER_FIRST + number % COUNTER_SPAN


def keys_of(points: int) -> list[str]:
    """The keys of a message: those of ThingsBoard's smart-meter test, further ones as p4, p5, ..."""
    return ["pulseCounter", "leakage", "batteryLevel", *(f"p{n}" for n in range(4, points + 1))][:points]


def text_field(value: bytes) -> bytes:
    """A field with its two bytes of length."""
    return len(value).to_bytes(2, "big") + value


def with_length(header: int, body: bytes) -> bytes:
    """A whole packet: header, remaining length, body."""
    length, out = len(body), bytearray([header])
    while True:
        length, digit = length >> 7, length & 127
        out.append(digit | 128 if length else digit)
        if not length:
            return bytes(out) + body


def connect(client_id: str, token: str) -> bytes:
    """CONNECT as ThingsBoard wants it: the access token is the user name, no password, clean session, no keep-alive."""
    head = text_field(b"MQTT") + bytes((4, 0x82, 0, 0))
    return with_length(0x10, head + text_field(client_id.encode()) + text_field(token.encode()))


def publish_format(*, points: int, qos: int, server_time: bool, again: bool = False) -> bytes:
    """A PUBLISH as a format for `%`: (packet id, ts, counter), without ts when the server stamps.

    The packet id is two bytes at QoS 1 and b"" at QoS 0. `again` sets the DUP flag of a repetition.
    """
    extra = [b'"leakage":false', b'"batteryLevel":93', *(b'"p%d":%d.5' % (n, n) for n in range(4, points + 1))][
        : points - 1
    ]
    values = b"{" + b",".join([b'"pulseCounter":%d', *extra]) + b"}"
    payload = values if server_time else b'{"ts":%d,"values":' + values + b"}"
    sample: tuple[int, ...] = (COUNTER_FIRST,) if server_time else (10**12, COUNTER_FIRST)
    length = 2 + len(TOPIC) + 2 * qos + len(payload % sample)
    header = with_length(0x30 | qos << 1 | again << 3, bytes(length))[:-length]
    return header.replace(b"%", b"%%") + text_field(TOPIC) + b"%b" + payload


def packet_ids(window: int) -> list[bytes]:
    """The packet ids of a window: slot n of a device's window always uses id n + 1."""
    return [(slot + 1).to_bytes(2, "big") for slot in range(window)]


def expected_acks(window: int) -> bytes:
    """All PUBACKs of a window in order, twice, so that the acknowledgements in order from any slot on are one slice."""
    return b"".join(b"\x40\x02" + packet_id for packet_id in packet_ids(window)) * 2
