"""Who is connected: what every protocol knows about a device while it talks to us."""

import uuid
from dataclasses import dataclass, field

from thingsboard.kernel.time import now_ms

# How far the stamps of a device run ahead of the clock at most, in ms: before they would, the device is read no further.
RUN_AHEAD_MS = 1000


@dataclass(slots=True, weakref_slot=True)
class StampClock:
    """The last server time stamp (ms) given to a device: strictly increasing, also over its reconnects."""

    last: int = 0

    def stamp(self, arrived_ms: int) -> int:
        """The time stamp of a message that arrived then (architecture.md 1, promise 1)."""
        last = self.last + 1
        self.last = last if last > arrived_ms else arrived_ms
        return self.last

    def ahead_ms(self) -> int:
        """By how much the stamps run ahead of the present, in ms; at most 0 when they do not."""
        return self.last - now_ms()


@dataclass(slots=True, eq=False, weakref_slot=True)
class DeviceSession:
    """One authenticated session of one device. `tenant` and `entity` are the ids' 16 bytes, as the store wants them."""

    tenant_id: uuid.UUID
    device_id: uuid.UUID
    profile_id: uuid.UUID
    clock: StampClock = field(default_factory=StampClock)
    tenant: bytes = b""
    entity: bytes = b""

    def __post_init__(self) -> None:
        self.tenant = self.tenant_id.bytes
        self.entity = self.device_id.bytes
