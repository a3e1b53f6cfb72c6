"""What the MQTT server needs of the ingest that its messages go to."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from thingsboard.kernel.batch import Batcher
from thingsboard.kernel.batch import Refused as Refusal
from thingsboard.transports.lease import Lease
from thingsboard.transports.messages import Uplink
from thingsboard.transports.session import DeviceSession

Settle = Callable[[Sequence[Uplink], Mapping[int, Refusal]], None]


class IngestPort(Protocol):
    """What is needed of `thingsboard.transports.uplink.Ingest`."""

    lease: Lease

    def last_stamp(self, device_id: uuid.UUID) -> int:
        """The last stamp of a device (ms), 0 when it is known to be past."""
        ...

    @property
    def batcher(self) -> Batcher[Uplink, Any]:
        """Its counters."""
        ...

    def shard(self, session: DeviceSession) -> Any:
        """Where this session's messages are appended."""
        ...

    def account(self, messages: int, size: int) -> bool:
        """Count appended messages and bytes; True when the sender must wait for `room`."""
        ...

    def open(self, session: DeviceSession) -> None:
        """A session starts."""
        ...

    def close_session(self, session: DeviceSession) -> None:
        """A session ended."""
        ...

    async def close(self) -> bool:
        """Commit what is queued; False when that did not end in time."""
        ...
