"""The Batcher: gathers messages into batches, commits each batch once, and says afterwards what became of every
message.

It clocks itself: a shard has one batch in flight, flushes at once when idle and otherwise when its running commit
returns (architecture.md 4, "Batcher"). A busy one lets as much time pass before its next commit as the last one took
(docs/decisions/0041). Each shard is one thread with one database connection; messages of a shard keep
their order. What is put in stays bounded, because the caller stops reading its senders while `full` is true.
"""

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from thingsboard.kernel.measure import Stats

log = logging.getLogger(__name__)

M = TypeVar("M")
U = TypeVar("U")
Message = TypeVar("Message", contravariant=True)

FIRST_RETRY_S = 0.1
LONGEST_RETRY_S = 2.0
# The log hears of a store that stays away at most this often.
COMPLAIN_S = 30.0
# From so many messages a batch on a shard is busy, and gathers for so long at most.
BUSY = 64
LONGEST_GATHERING_S = 0.1
SHORTEST_STEP_S = 0.002


@dataclass(frozen=True, slots=True)
class Refused:
    """Why one message was refused: a short code for counters and a sentence for people."""

    code: str
    reason: str


class Unavailable(Exception):
    """The store cannot be reached or is not ready; the batch is kept and tried again. Nothing of it was committed.

    `announced` says that whoever raises it tells the log by itself when that begins and ends.
    """

    def __init__(self, message: str, *, announced: bool = False) -> None:
        super().__init__(message)
        self.announced = announced


class Sink(Protocol[Message, U]):
    """What a shard does with its messages. One instance per shard; all calls come from the shard's thread."""

    def prepare(self, messages: Sequence[Message]) -> tuple[list[U], list[int], dict[int, Refused]]:
        """Decode: the units to commit, for each unit the index of its message, and the messages refused. Called
        once.
        """
        ...

    def commit(self, units: Sequence[U]) -> dict[int, Refused]:
        """Commit all units in one transaction, except those it returns as refused (by index).

        Raises Unavailable when nothing was committed and trying again may help; any other exception means that the data
        was at fault: the batch is then bisected until the culprit stands alone.
        """
        ...

    def close(self) -> None:
        """Let the connection go."""
        ...


Settle = Callable[[Sequence[M], Mapping[int, Refused]], None]


class Shard(Generic[M, U]):
    """One lane of a Batcher: a queue, a thread, a sink.

    The hot path appends to `queue` and calls `kick` once per read; both from the event loop's thread only.
    """

    def __init__(self, batcher: "Batcher[M, U]", sink: Sink[M, U], name: str) -> None:
        self.queue: deque[M] = deque()
        self._batcher = batcher
        self._sink = sink
        self._wake = threading.Semaphore(0)
        self._idle = False
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def kick(self) -> None:
        """Say that messages were appended."""
        if self._idle:
            self._idle = False
            self._wake.release()

    def stop(self) -> None:
        """Finish what is queued, then end the thread."""
        self._stopping = True
        self._wake.release()

    def join(self, timeout_s: float) -> bool:
        """Wait for the thread's end; False when it did not come in time."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        queue, limit = self.queue, self._batcher.batch
        take = queue.popleft
        while True:
            if not queue:
                if self._stopping:
                    break
                self._idle = True
                if not queue and not self._stopping:  # looked at again: an append may have come before `_idle` was set
                    self._wake.acquire()
                self._idle = False
                continue
            batch = [take() for _ in range(min(len(queue), limit))]
            messages = len(batch)
            began = time.perf_counter()
            refusals = self._flush(batch)
            took = time.perf_counter() - began
            self._batcher.report(batch, refusals, took)
            del batch, refusals  # an idle shard keeps nothing alive
            if messages >= BUSY:
                self._gather(messages, took)
        self._sink.close()

    def _gather(self, messages: int, took: float) -> None:
        """Let as many more messages come as do in the time that the last batch took: what a commit costs by itself is shared
        by twice as many then, and a device's latest value is written half as often. Not where senders wait for us: when they
        send nothing any more before they hear of what is here, all of it is.
        """
        queue, limit = self.queue, self._batcher.batch
        until = time.perf_counter() + min(took, LONGEST_GATHERING_S)
        step = max(SHORTEST_STEP_S, min(took, LONGEST_GATHERING_S) / 8)
        few = (
            messages * step / took / 8
        )  # messages of a step, at a quarter of the pace of before: those came in twice the time
        known = len(queue)
        while known < limit and not self._stopping and time.perf_counter() < until:
            time.sleep(step)
            arrived, known = len(queue) - known, len(queue)
            if arrived < few:
                return

    def _flush(self, batch: list[M]) -> dict[int, Refused]:
        """Prepare and commit one batch; returns the refused messages by index."""
        try:
            units, origin, refusals = self._sink.prepare(batch)
        except Exception:
            log.exception("Preparing a batch of %d messages failed; all of it is refused.", len(batch))
            return dict.fromkeys(range(len(batch)), Refused("internal", "The message could not be processed."))
        if units:
            self._commit(units, origin, refusals)
        return refusals

    def _commit(self, units: Sequence[U], origin: Sequence[int], refusals: dict[int, Refused]) -> None:
        """Commit, waiting for the store as long as it takes, and bisecting down to a message that spoils its batch."""
        delay = FIRST_RETRY_S
        while True:
            try:
                refused = self._sink.commit(units)
            except Unavailable as error:
                if self._stopping:
                    refusals.update(dict.fromkeys(origin, Refused("unavailable", "The platform is stopping.")))
                    return
                self._batcher.complain(error, len(units))
                self._batcher.stats.retries += 1
                time.sleep(delay)
                delay = min(delay * 2, LONGEST_RETRY_S)
            except Exception as error:
                if len(units) == 1:
                    log.error("A message spoils its batch and is refused: %s", error)
                    refusals[origin[0]] = Refused("data", "The database cannot hold this message.")
                    return
                half = len(units) // 2
                self._batcher.stats.bisections += 1
                self._commit(units[:half], origin[:half], refusals)
                self._commit(units[half:], origin[half:], refusals)
                return
            else:
                for index, why in refused.items():
                    refusals[origin[index]] = why
                return


class Batcher(Generic[M, U]):
    """S shards and the bookkeeping of what is on its way.

    `settle(batch, refusals)` is called on the event loop once a batch is committed: every message whose index is not in
    `refusals` is durable. `room()` is called there when a full Batcher has emptied to the half.
    """

    def __init__(
        self,
        sinks: Sequence[Sink[M, U]],
        settle: Settle[M],
        room: Callable[[], None],
        *,
        size: Callable[[M], int],
        batch: int = 1000,
        max_pending: int = 20_000,
        max_pending_bytes: int = 64 * 1024 * 1024,
        name: str = "ingest",
    ) -> None:
        """Start one thread per sink. Limits: messages per batch, messages and bytes on their way over all shards.

        Must be called on the event loop that `settle` and `room` are to run on.
        """
        self.batch = batch
        self.stats = Stats()
        self.full = False
        self.pending = 0
        self.pending_bytes = 0
        self._settle, self._room, self._size = settle, room, size
        self._max, self._max_bytes = max_pending, max_pending_bytes
        self._quiet_until = float("-inf")
        self._loop = asyncio.get_running_loop()
        self._shards = [Shard(self, sink, f"{name}-{number}") for number, sink in enumerate(sinks)]

    def shard(self, key: int) -> Shard[M, U]:
        """The shard of everything that must stay in order under `key`."""
        return self._shards[key % len(self._shards)]

    def account(self, messages: int, size: int) -> bool:
        """Count what was just appended (messages, payload bytes); True when the sender must not be read any further."""
        self.pending += messages
        self.pending_bytes += size
        if self.pending > self._max or self.pending_bytes > self._max_bytes:
            self.full = True
        return self.full

    def complain(self, error: Unavailable, waiting: int) -> None:
        """From a shard's thread: say that the store is away, unless that was said lately."""
        now = time.monotonic()
        if not error.announced and now >= self._quiet_until:
            self._quiet_until = now + COMPLAIN_S
            log.warning("The store is not available (%s); %d messages wait for it.", error, waiting)

    def report(self, batch: list[M], refusals: dict[int, Refused], seconds: float) -> None:
        """From a shard's thread: hand a finished batch to the event loop; `seconds` is what it took."""
        size = self._size
        total = sum([size(message) for message in batch])
        try:
            self._loop.call_soon_threadsafe(self._settled, batch, refusals, total, seconds)
        except RuntimeError:  # the loop is closed: nobody is left to acknowledge to
            log.info("%d messages were stored after their event loop had ended.", len(batch))

    def _settled(self, batch: list[M], refusals: dict[int, Refused], size: int, seconds: float) -> None:
        self.pending -= len(batch)
        self.pending_bytes -= size
        self.stats.messages += len(batch)
        self.stats.batches += 1
        self.stats.refused += len(refusals)
        self.stats.bytes += size
        self.stats.seconds.add(seconds)
        try:
            self._settle(batch, refusals)
        finally:
            if self.full and self.pending <= self._max // 2 and self.pending_bytes <= self._max_bytes // 2:
                self.full = False
                self._room()

    async def close(self, timeout_s: float = 10.0) -> bool:
        """Commit what is queued and end the threads; False when some did not end in time."""
        for shard in self._shards:
            shard.stop()
        ended = await asyncio.gather(*(asyncio.to_thread(shard.join, timeout_s) for shard in self._shards))
        await asyncio.sleep(0)  # let the last settlements run
        return all(ended)
