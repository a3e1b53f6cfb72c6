"""Writes what became of work outside, in groups: while one is committed, the results of the next one gather."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Executor
from typing import TypeVar

from django.db import connection as django_connection

from rules.effects.desk import Desk
from rules.effects.jobs import Ended
from rules.engine.batch import AWAY
from thingsboard.kernel.effects import Claimed

log = logging.getLogger(__name__)

T = TypeVar("T")

MOST_OF_A_COMMIT = 500
AWAY_S = 0.5  # the database is asked again after so long


async def until(event: asyncio.Event, seconds: float) -> None:
    """Return when it is set, or after so many seconds."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return


def disconnect() -> None:
    """Let this thread's connection go. (`connection.close` itself would be that of who hands it over.)"""
    django_connection.close()


class Asking:
    """Blocking calls, each in the thread that is for it, and what is done while the database is `away`."""

    def __init__(self, stopping: asyncio.Event) -> None:
        self.away = False
        self._stopping = stopping

    async def __call__(self, executor: Executor, function: Callable[[], T]) -> T:
        """What it returns or raises."""
        return await asyncio.get_running_loop().run_in_executor(executor, function)

    async def rest(self, error: BaseException, executor: Executor) -> None:
        """It is away: this thread needs another connection, later."""
        if not self.away:
            log.warning("Work outside waits for the database: %s", str(error).strip().splitlines()[:1])
        self.away = True
        await self(executor, disconnect)
        await until(self._stopping, AWAY_S)


class Results:
    """Belongs to one event loop. `let_go` is called for each work whose result is written, or is not ours to write."""

    def __init__(self, desk: Desk, ask: Asking, counts: Counter[str], let_go: Callable[[Claimed], None]) -> None:
        self._desk, self._ask, self._counts, self._let_go = desk, ask, counts, let_go
        self._waiting: list[Ended] = []
        self._some, self._none = asyncio.Event(), asyncio.Event()
        self._none.set()

    def add(self, ended: Ended) -> None:
        """To be written."""
        self._waiting.append(ended)
        self._some.set()
        self._none.clear()

    async def drained(self) -> None:
        """Return when all are written, or the database is away."""
        while self._waiting and not self._ask.away:
            await until(self._none, AWAY_S)

    async def run(self) -> None:
        """Write what there is, for ever."""
        while True:
            await self._some.wait()
            self._some.clear()
            while self._waiting:
                await self._write()
            self._none.set()

    async def _write(self) -> None:
        some = self._waiting[:MOST_OF_A_COMMIT]
        try:
            settled = await self._ask(self._desk.results, lambda: self._desk.settle(some))
        except AWAY as error:
            await self._ask.rest(error, self._desk.results)
            return
        except Exception:
            log.exception("%d results of work outside cannot be written: it is done again.", len(some))
            settled = None
        self._ask.away = False
        del self._waiting[: len(some)]
        for each in some:
            self._let_go(each.claimed)
            self._counts[each.kind] += 1
        if settled is not None:
            self._counts["taken_over"] += settled.lost
