"""An Ingest whose store is a list: it records what is committed, and can be held back or made to refuse."""

import asyncio
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence

from thingsboard.kernel.batch import Batcher, Refused, Shard
from thingsboard.transports.lease import Lease
from thingsboard.transports.messages import Uplink
from thingsboard.transports.session import DeviceSession, StampClock


class Recorder:
    """One shard's sink. `release` unset holds every commit back; payloads that contain b"refuse" are refused."""

    def __init__(self) -> None:
        self.release = threading.Event()
        self.release.set()
        self.stored: list[Uplink] = []

    def prepare(self, messages: Sequence[Uplink]) -> tuple[list[Uplink], list[int], dict[int, Refused]]:
        units, origin, refusals = [], [], {}
        for index, message in enumerate(messages):
            message.session.clock.stamp(message.arrived_ms)
            if b"refuse" in message.payload:
                refusals[index] = Refused("payload", "It asks to be refused.")
            else:
                units.append(message)
                origin.append(index)
        return units, origin, refusals

    def commit(self, units: Sequence[Uplink]) -> dict[int, Refused]:
        assert self.release.wait(30)
        self.stored.extend(units)
        return {}

    def close(self) -> None:
        self.release.set()


class RecordingIngest:
    """The same interface as `thingsboard.transports.uplink.Ingest`."""

    def __init__(
        self,
        settle: Callable[[Sequence[Uplink], Mapping[int, Refused]], None],
        room: Callable[[], None],
        *,
        max_pending: int = 20_000,
        max_pending_bytes: int = 64 * 1024 * 1024,
        batch: int = 1000,
    ) -> None:
        self.sink = Recorder()
        self.lease = Lease()
        self.clocks: dict[uuid.UUID, StampClock] = {}
        self.rooms = 0
        self.batcher: Batcher[Uplink, Uplink] = Batcher(
            [self.sink],
            settle,
            room,
            size=lambda message: len(message.payload),
            batch=batch,
            max_pending=max_pending,
            max_pending_bytes=max_pending_bytes,
        )

    @property
    def payloads(self) -> list[bytes]:
        """What was committed, in order."""
        return [message.payload for message in self.sink.stored]

    def shard(self, session: DeviceSession) -> Shard[Uplink, Uplink]:
        return self.batcher.shard(hash(session.entity))

    def account(self, messages: int, size: int) -> bool:
        return self.batcher.account(messages, size)

    def open(self, session: DeviceSession) -> None:
        session.clock = self.clocks.setdefault(session.device_id, session.clock)

    def last_stamp(self, device_id: uuid.UUID) -> int:
        clock = self.clocks.get(device_id)
        return 0 if clock is None else clock.last

    def close_session(self, session: DeviceSession) -> None:
        pass

    async def close(self) -> bool:
        self.sink.release.set()
        return await self.batcher.close()


async def until(condition: Callable[[], bool], patience: float = 5.0) -> None:
    """Poll until the condition holds; TimeoutError after `patience` seconds."""
    async with asyncio.timeout(patience):
        while not condition():
            await asyncio.sleep(0.005)
