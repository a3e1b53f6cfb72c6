"""Device to platform: what transports put into the Batcher, and the Ingest that commits it.

A transport appends an `Uplink` to its session's shard and acknowledges only when `settle` reports it as committed.
"""

import asyncio
import uuid
import weakref
from collections.abc import Callable, Mapping, Sequence

from django.conf import settings

from telemetry.fanout import fanout
from telemetry.writer import IngestWriter, Outdated
from thingsboard.kernel.batch import Batcher, Refused, Shard, Unavailable
from thingsboard.transports.decoding import Decoded, Decoder
from thingsboard.transports.lease import Lease
from thingsboard.transports.messages import Uplink
from thingsboard.transports.planning import Planner
from thingsboard.transports.session import DeviceSession, StampClock

# How often a batch is planned anew because somebody saved a chain meanwhile.
MOST_PLANNINGS = 20

Settle = Callable[[Sequence[Uplink], Mapping[int, Refused]], None]


class Ingest:
    """The ingest pipeline of one process: decoding, one transaction per batch, settlement."""

    def __init__(self, settle: Settle, room: Callable[[], None]) -> None:
        """Start the shards' threads; call it on the running event loop. `settle` and `room` are called there."""
        self._clocks: weakref.WeakValueDictionary[bytes, StampClock] = weakref.WeakValueDictionary()
        self._loop = asyncio.get_running_loop()
        self.lease = Lease()
        fanout.start()
        self._interest = self._loop.create_task(fanout.interest.listen(), name="who watches live")
        self.batcher: Batcher[Uplink, Decoded] = Batcher(
            [_Sink(self.lease) for _ in range(settings.TB_INGEST_SHARDS)],
            settle,
            room,
            size=_size,
            batch=settings.TB_INGEST_BATCH,
            max_pending=settings.TB_INGEST_MAX_PENDING,
            max_pending_bytes=settings.TB_INGEST_MAX_PENDING_BYTES,
        )

    def shard(self, session: DeviceSession) -> Shard[Uplink, Decoded]:
        """Where the messages of this session are appended (`.queue.append`, then `.kick()` and `account`)."""
        return self.batcher.shard(hash(session.entity))

    def account(self, messages: int, size: int) -> bool:
        """Count appended messages and payload bytes; True when this sender must be paused until `room()`."""
        return self.batcher.account(messages, size)

    def open(self, session: DeviceSession) -> None:
        """A session starts: it goes on with the stamps of the device's earlier session, if those run ahead."""
        session.clock = self._clocks.setdefault(session.entity, session.clock)

    def close_session(self, session: DeviceSession) -> None:
        """A session ended: its clock is remembered until its last stamp is past, this millisecond included."""
        ahead = session.clock.ahead_ms()
        if ahead >= 0:
            self._loop.call_later(ahead / 1000 + 0.1, _forget, session.clock)

    def last_stamp(self, device_id: uuid.UUID) -> int:
        """The last stamp of a device (ms), 0 when it is known to be past."""
        clock = self._clocks.get(device_id.bytes)
        return 0 if clock is None else clock.last

    async def close(self) -> bool:
        """Commit what is queued; False when that did not end in time."""
        self.lease.close()
        try:
            return await self.batcher.close()
        finally:
            self._interest.cancel()


def _forget(_clock: StampClock) -> None:
    """Held by a timer so that the weak dictionary keeps the clock until then."""


def _size(message: Uplink) -> int:
    return len(message.payload)


class _Sink:
    """One shard: the lease and the decoder in front of the writer, and the plans that say what it writes where."""

    def __init__(self, lease: Lease) -> None:
        self._lease = lease
        self._decoder = Decoder()
        self._writer = IngestWriter()
        self._planner = Planner()

    def prepare(self, messages: Sequence[Uplink]) -> tuple[list[Decoded], list[int], dict[int, Refused]]:
        if self._lease.clear():
            return self._decoder.decode(messages)
        refusals = self._lease.screen(messages)
        kept = [index for index in range(len(messages)) if index not in refusals]
        writes, origin, refused = self._decoder.decode([messages[index] for index in kept])
        refusals.update({kept[index]: why for index, why in refused.items()})
        return writes, [kept[index] for index in origin], refusals

    def commit(self, units: Sequence[Decoded]) -> dict[int, Refused]:
        for _ in range(MOST_PLANNINGS):
            planned = self._planner.plan(units)
            try:
                refused = self._writer.commit(planned.writes, also=planned.append, guard=planned.guard)
            except Outdated:
                self._planner.outdated()
                continue
            planned.committed()
            fanout.committed(planned.writes, refused)
            return {**planned.refused, **refused}
        raise Unavailable("chains are being saved faster than batches can be planned")

    def close(self) -> None:
        self._writer.close()
