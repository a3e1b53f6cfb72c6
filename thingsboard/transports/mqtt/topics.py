"""The fixed topics of a device (compat/device_transports.md 2.2 and 2.3): what it may publish to and subscribe to."""

from thingsboard.transports.messages import UplinkKind
from thingsboard.transports.mqtt.packets import Malformed

# What a device publishes for ingest. The short topics have a form for each payload; "/j" is JSON.
UPLINKS: dict[bytes, UplinkKind] = {
    b"v1/devices/me/telemetry": UplinkKind.TELEMETRY,
    b"v2/t": UplinkKind.TELEMETRY,
    b"v2/t/j": UplinkKind.TELEMETRY,
    b"v1/devices/me/attributes": UplinkKind.ATTRIBUTES,
    b"v2/a": UplinkKind.ATTRIBUTES,
    b"v2/a/j": UplinkKind.ATTRIBUTES,
}

# Known topics that have no kind yet: acknowledged, counted and dropped.
LATER = (
    b"v1/devices/me/attributes/request/",
    b"v1/devices/me/rpc/request/",
    b"v1/devices/me/rpc/response/",
    b"v1/devices/me/claim",
    b"v1/gateway/",
    b"v2/t/p",
    b"v2/a/p",
    b"v2/a/req/",
    b"v2/r/req/",
    b"v2/r/res/",
    b"v2/fw/request/",
    b"v2/sw/request/",
)

_FORMS = ("", "j/", "p/")

# The filters that are granted, letter for letter. `v2/fw/response/+` matches nothing; the official client asks for it.
SUBSCRIPTIONS = frozenset(
    [
        "v1/devices/me/attributes",
        "v2/a",
        "v2/a/j",
        "v2/a/p",
        "v1/devices/me/attributes/response/+",
        "v1/devices/me/rpc/request/+",
        "v1/devices/me/rpc/response/+",
        *(f"v2/{what}/{form}+" for what in ("a/res", "r/req", "r/res") for form in _FORMS),
        *(f"v2/{what}/{rest}" for what in ("fw", "sw") for rest in ("response/+/chunk/+", "response/+", "error")),
        "v1/gateway/attributes",
        "v1/gateway/attributes/response",
        "v1/gateway/rpc",
        "v1/gateway/disconnect",
    ]
)


def dropped_as(topic: bytes) -> str:
    """The counter of a publish that ingest does not take: `unsupported_topic` or `unknown_topic`.

    Raises Malformed when no topic may look like this: empty, a wildcard, not UTF-8, or with U+0000 in it.
    """
    if not topic or b"+" in topic or b"#" in topic or b"\0" in topic:
        raise Malformed("topic")
    try:
        topic.decode()
    except UnicodeDecodeError:
        raise Malformed("utf8") from None
    return "unsupported_topic" if topic.startswith(LATER) else "unknown_topic"


def matches(topic: str, pattern: str) -> bool:
    """Whether a granted filter (with `+`, never with `#`) covers the topic."""
    if "+" not in pattern:
        return topic == pattern
    levels, wanted = topic.split("/"), pattern.split("/")
    return len(levels) == len(wanted) and all(want in ("+", level) for level, want in zip(levels, wanted, strict=True))
