"""`getSessionLimits`: the one remote call of a device that its transport answers itself (compat/device_transports.md 2.2).

The official client makes it on every connect, and a gateway does not count as connected before the answer.
"""

import orjson

from thingsboard.transports.mqtt import packets
from thingsboard.transports.mqtt.limits import Limits

REQUEST = b"v1/devices/me/rpc/request/"
RESPONSE = "v1/devices/me/rpc/response/"

# Messages that the client should have on their way; far below what a connection is read with.
MAX_INFLIGHT = 100
# A request carries a method and a time out.
MAX_REQUEST = 1024


def answer(topic: bytes, payload: bytes, limits: Limits) -> bytes:
    """The PUBLISH (3.1.1, QoS 0) that answers this publish, b"" when it is no request for the limits."""
    number = topic.removeprefix(REQUEST)
    if number == topic or not number.isdigit() or len(number) > 10 or len(payload) > MAX_REQUEST:
        return b""
    try:
        request = orjson.loads(payload)
    except orjson.JSONDecodeError:
        return b""
    if not isinstance(request, dict) or request.get("method") != "getSessionLimits":
        return b""
    said = {
        "maxPayloadSize": limits.max_payload,
        "maxInflightMessages": min(MAX_INFLIGHT, limits.max_unacked),
        "rateLimits": {"messages": None, "telemetryMessages": None, "telemetryDataPoints": None},
    }
    return packets.packet(0x30, packets.string(RESPONSE + number.decode()) + orjson.dumps(said))
