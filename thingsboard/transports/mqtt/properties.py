"""The properties of MQTT 5 packets, read strictly (MQTT 5.0, 2.2.2 and table 2-4)."""

from typing import Any, Final

from thingsboard.transports.mqtt.packets import Fields, Malformed

SESSION_EXPIRY, ASSIGNED_CLIENT_ID, AUTH_METHOD, AUTH_DATA = 0x11, 0x12, 0x15, 0x16
PROBLEM_INFORMATION, REASON_STRING, RECEIVE_MAXIMUM = 0x17, 0x1F, 0x21
TOPIC_ALIAS_MAXIMUM, TOPIC_ALIAS, RETAIN_AVAILABLE = 0x22, 0x23, 0x25
USER_PROPERTY, MAXIMUM_PACKET_SIZE, WILDCARDS_AVAILABLE = 0x26, 0x27, 0x28
SUBSCRIPTION_ID, SUBSCRIPTION_IDS_AVAILABLE, SHARED_AVAILABLE = 0x0B, 0x29, 0x2A
PAYLOAD_FORMAT, MESSAGE_EXPIRY, CONTENT_TYPE, RESPONSE_TOPIC, CORRELATION_DATA = 0x01, 0x02, 0x03, 0x08, 0x09
WILL_DELAY, RESPONSE_INFORMATION = 0x18, 0x19

# Which properties a client may send with what.
_MESSAGE = {PAYLOAD_FORMAT, MESSAGE_EXPIRY, CONTENT_TYPE, RESPONSE_TOPIC, CORRELATION_DATA, USER_PROPERTY}
OF_CONNECT: Final = frozenset(
    {
        SESSION_EXPIRY, AUTH_METHOD, AUTH_DATA, PROBLEM_INFORMATION, RESPONSE_INFORMATION, RECEIVE_MAXIMUM,
        TOPIC_ALIAS_MAXIMUM, USER_PROPERTY, MAXIMUM_PACKET_SIZE,
    }
)  # fmt: skip
OF_WILL: Final = frozenset(_MESSAGE | {WILL_DELAY})
OF_PUBLISH: Final = frozenset(_MESSAGE | {TOPIC_ALIAS})
OF_ANSWER: Final = frozenset({REASON_STRING, USER_PROPERTY})
OF_SUBSCRIBE: Final = frozenset({SUBSCRIPTION_ID, USER_PROPERTY})
OF_UNSUBSCRIBE: Final = frozenset({USER_PROPERTY})
OF_DISCONNECT: Final = frozenset({SESSION_EXPIRY, REASON_STRING, USER_PROPERTY})

# More user properties than this in one packet are not read: nobody here looks at them.
MAX_USER_PROPERTIES = 64

_BYTES = {PAYLOAD_FORMAT, PROBLEM_INFORMATION, RESPONSE_INFORMATION}  # each 0 or 1
_SHORTS = {RECEIVE_MAXIMUM, TOPIC_ALIAS_MAXIMUM, TOPIC_ALIAS}
_LONGS = {SESSION_EXPIRY, MESSAGE_EXPIRY, MAXIMUM_PACKET_SIZE, WILL_DELAY}
_BINARIES = {AUTH_DATA, CORRELATION_DATA}
_TEXTS = {AUTH_METHOD, CONTENT_TYPE, RESPONSE_TOPIC, REASON_STRING}
_NEVER_ZERO = {RECEIVE_MAXIMUM, TOPIC_ALIAS, MAXIMUM_PACKET_SIZE, SUBSCRIPTION_ID}

NONE: Final[dict[int, Any]] = {}


def read_variable(fields: Fields) -> int:
    """A variable byte integer of at most four bytes. Raises Malformed."""
    value = 0
    for shift in (0, 7, 14, 21):
        digit = fields.byte()
        value |= (digit & 0x7F) << shift
        if digit < 0x80:
            return value
    raise Malformed("properties")


def read_properties(fields: Fields, allowed: frozenset[int]) -> dict[int, Any]:
    """The properties at the cursor by identifier; user properties are checked and left out.

    Raises Malformed: "properties" when they break the format or are not `allowed` here, "protocol" when one comes twice
    or has a value that it must not have.
    """
    length = read_variable(fields)
    if not length:
        return NONE
    end = fields.at + length
    if end > len(fields.body):
        raise Malformed("properties")
    inner, found, strangers = Fields(fields.body[fields.at : end], "properties"), {}, 0
    fields.at = end
    while not inner.done():
        name = read_variable(inner)
        if name not in allowed:
            raise Malformed("properties")
        if name == USER_PROPERTY:
            strangers += 1
            inner.text()
            inner.text()
            if strangers > MAX_USER_PROPERTIES:
                raise Malformed("user_properties")
            continue
        if name in found:
            raise Malformed("protocol")
        value = found[name] = _read_value(inner, name)
        if (value == 0 and name in _NEVER_ZERO) or (name in _BYTES and value > 1):
            raise Malformed("protocol")
    return found


def _read_value(fields: Fields, name: int) -> Any:
    if name in _BYTES:
        return fields.byte()
    if name in _SHORTS:
        return fields.short()
    if name in _LONGS:
        return fields.short() << 16 | fields.short()
    if name in _BINARIES:
        return fields.binary()
    if name in _TEXTS:
        return fields.text()
    return read_variable(fields)  # SUBSCRIPTION_ID
