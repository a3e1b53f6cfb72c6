"""The effects worker: hundreds of works at once in one event loop (architecture.md 5, "External nodes").

It claims what there is room for, has each node do its work, and writes what became of it in groups: while one transaction is
committed, the next one's results gather. A work keeps its place until its result is committed, so a database that is away
stops the claims.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from rules.effects.desk import Desk
from rules.effects.jobs import Ended, Job, perform
from rules.effects.outside import OutsideWork, SystemSettings
from rules.effects.pace import Pace
from rules.effects.places import Limits, Places
from rules.effects.results import Asking, Results, disconnect, until
from rules.effects.shared import SharedClients
from rules.engine.batch import AWAY
from thingsboard.kernel.effects import Claimed, key_of
from thingsboard.kernel.effects.counts import count
from thingsboard.kernel.effects.kicks import clear_flag, hold_flag

log = logging.getLogger(__name__)

LINGER_S = 0.1  # after the last work it looks again for so long before it has itself kicked
PAUSE_S = 0.01  # between two looks, at least
REST_PER_LOOK = 4  # times what a look took is the pause after it, at least
HOLD_S = 1.0  # flags last for seconds; this often they are held again


@dataclass(slots=True, eq=False)
class _Held:
    """Work that we have claimed and that has not ended; `task` while it is done."""

    claimed: Claimed
    task: "asyncio.Task[None] | None" = None


class EffectsWorker:
    """Belongs to the event loop that runs it; `wake` and `stop` are called there."""

    def __init__(self, limits: Limits, pace: Pace) -> None:
        self.places = Places(limits)
        self._pace = pace
        self._desk = Desk(lease_s=pace.lease, retry_s=pace.retry)
        self._asking = ThreadPoolExecutor(1, "effects settings")
        self._telling = ThreadPoolExecutor(1, "effects flags")
        self._clients = SharedClients(pace.clients, pace.idle_client)
        self._settings = SystemSettings(self._asking)
        self._held: dict[int, _Held] = {}
        self._counts: Counter[str] = Counter()
        self._wake, self._stopping = asyncio.Event(), asyncio.Event()
        self._full = False
        self._ask = Asking(self._stopping)
        self._results = Results(self._desk, self._ask, self._counts, self._let_go)

    def wake(self) -> None:
        """There may be work."""
        self._wake.set()

    def stop(self) -> None:
        """Claim no more; what runs has some seconds, the rest is given back."""
        self._stopping.set()
        self._wake.set()

    async def run(self) -> None:
        """Until it is stopped."""
        background = [asyncio.create_task(_kept(each)) for each in (self._results.run, self._renew, self._tidy)]
        try:
            await self._claim()
            await self._finish()
        finally:
            tasks = [*background, *(held.task for held in self._held.values() if held.task is not None)]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._clients.close()
            await asyncio.to_thread(self._end)

    # Claiming.

    async def _claim(self) -> None:
        idle_since, held = time.monotonic(), float("-inf")
        last_look = False
        while not self._stopping.is_set():
            self._wake.clear()
            began = time.monotonic()
            found = await self._look()
            now = time.monotonic()
            if found or self._full:
                idle_since, last_look = now, False
            if not last_look and now - held > HOLD_S:
                self._telling.submit(hold_flag)
                held = now
            rest = max(PAUSE_S, REST_PER_LOOK * (now - began))
            if self._full:
                await until(self._wake, LINGER_S / 2)
            elif last_look:
                await until(self._wake, self._pace.sweep)
                last_look = not self._wake.is_set()
                idle_since = time.monotonic()
            elif now - idle_since >= LINGER_S:
                await self._ask(self._telling, clear_flag)
                held, last_look = float("-inf"), True
                continue
            await until(self._stopping, rest)

    async def _look(self) -> int:
        """Claim what there is room for and begin it; how much that was. `_full` says whether more has to wait for room."""
        places, self._full = self.places, False
        if places.room <= 0:
            self._full = True
            return 0
        try:
            due = [each for each in await self._ask(self._desk.claims, self._desk.look) if each.due]
            wanted = places.shares(due)
            if not wanted or self._stopping.is_set():
                self._full = bool(due)
                return 0
            jobs = await self._ask(self._desk.claims, lambda: self._desk.claim(wanted, places.room))
        except AWAY as error:
            await self._ask.rest(error, self._desk.claims)
            return 0
        self._ask.away = False
        for job in jobs:
            self._begin(job)
        return len(jobs)

    def _begin(self, job: Job | Ended) -> None:
        claimed = job.claimed
        before = self._held.get(claimed.id)
        if before is not None:
            self._lose(before)  # our own lease ended before it was renewed
        self.places.take(claimed.tenant_id, claimed.destination, claimed.size)
        held = self._held[claimed.id] = _Held(claimed)
        if isinstance(job, Ended):
            self._results.add(job)
        else:
            held.task = asyncio.create_task(self._work(job, held))

    # Working.

    async def _work(self, job: Job, held: _Held) -> None:
        claimed = job.claimed
        key = key_of(claimed.id, claimed.created_time)
        outside = OutsideWork(claimed.tenant_id, key, claimed.attempts, self._clients, self._settings)
        try:
            ended = await perform(job, outside, self._pace.attempts)
        except asyncio.CancelledError:
            held.task = None  # who cancelled it does the rest
            raise
        held.task = None
        self._results.add(ended)

    def _let_go(self, claimed: Claimed) -> None:
        held = self._held.get(claimed.id)
        if held is not None and held.claimed.lease == claimed.lease:
            del self._held[claimed.id]
            self.places.take(claimed.tenant_id, claimed.destination, claimed.size, -1)
            if self._full:
                self._wake.set()

    def _lose(self, held: _Held) -> None:
        log.warning("Work outside for %s was taken over, because its lease ended.", held.claimed.destination)
        if held.task is not None:
            held.task.cancel()
            self._counts["taken_over"] += 1
        self._let_go(held.claimed)

    # Leases.

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self._pace.lease / 3)
            leases = [(each.claimed.id, each.claimed.lease) for each in self._held.values()]
            if not leases:
                continue
            try:
                ours = await self._ask(self._desk.claims, lambda leases=leases: self._desk.renew(leases))  # type: ignore[misc]
            except AWAY as error:
                await self._ask.rest(error, self._desk.claims)
                continue
            for number, lease in leases:
                held = self._held.get(number)
                if number not in ours and held is not None and held.claimed.lease == lease and held.task is not None:
                    self._lose(held)

    async def _tidy(self) -> None:
        """Once a second: connections that nobody uses, and the counts."""
        while True:
            await asyncio.sleep(1.0)
            await self._clients.expire()
            await self._tell()

    async def _tell(self) -> None:
        counts = dict(self._counts)
        told = bool(counts) and await self._ask(self._telling, lambda: count(counts))
        if told:
            self._counts.subtract(counts)
            for name in [name for name, number in self._counts.items() if not number]:
                del self._counts[name]

    # The end.

    async def _finish(self) -> None:
        running = [held.task for held in self._held.values() if held.task is not None]
        if running:
            await asyncio.wait(running, timeout=self._pace.stop)
        cut = [held for held in self._held.values() if held.task is not None]
        for held in cut:
            if held.task is not None:
                held.task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        leases = [(held.claimed.id, held.claimed.lease) for held in cut]
        try:
            if leases:
                await self._ask(self._desk.claims, lambda: self._desk.release(leases))
            await self._results.drained()
        except AWAY as error:
            log.warning("Work outside is not given back, and taken over later: %s", error)
        await self._tell()

    def _end(self) -> None:
        self._desk.close()
        self._asking.submit(disconnect)
        self._asking.shutdown()
        self._telling.shutdown()


async def _kept(work: Callable[[], Awaitable[None]]) -> None:
    """Background work that an error of its own does not end."""
    while True:
        try:
            await work()
        except Exception:
            log.exception("Work in the background failed, and goes on.")
            await asyncio.sleep(1.0)
