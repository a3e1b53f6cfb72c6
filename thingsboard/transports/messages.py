"""A message of a device on its way into the platform, whatever protocol it came over."""

import enum
from typing import Any, NamedTuple

from thingsboard.transports.session import DeviceSession


class UplinkKind(enum.IntEnum):
    """What a device's message is, whatever protocol it came over."""

    TELEMETRY = 1
    ATTRIBUTES = 2


class Uplink(NamedTuple):
    """One message of a device. `ticket` is the transport's own and comes back in `settle`."""

    session: DeviceSession
    kind: UplinkKind
    payload: bytes
    arrived_ms: int
    ticket: Any
