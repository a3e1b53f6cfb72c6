"""Whose acknowledgements are withheld, because too much of theirs waits for the rule engine (architecture.md 4, "The queue").

Every process that serves devices looks for itself, in a thread with a connection of its own: the rules workers that should
work the queue off may be dead, so nobody else can be relied on. Others are not slowed: who is over is known by tenant.
"""

import asyncio
import contextlib
import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from typing import Any

import psycopg
from django.conf import settings

from telemetry.store.connect import connect
from thingsboard.kernel import timers
from thingsboard.kernel.effects.counts import RESULTS, counted
from thingsboard.kernel.outbox.backlog import Backlog, Bounds, measure, together

log = logging.getLogger(__name__)

# A look costs what the queue's table holds, dead rows included (kernel/outbox/backlog.py), so the next one comes no sooner than
# this many times what the last one took: at most 2 % of a core, and still a look a minute when it is slower than that.
REST_PER_LOOK = 50
LONGEST_REST_S = 60.0
# A look that takes longer is given up, and nothing changes.
STATEMENT_TIMEOUT = "10s"
# A process that starts waits this long for its first look: who was over before a restart is over after it.
FIRST_LOOK_S = 3.0
CLOSE_S = 2.0
# Tenants that one look names in the log; when all workers are dead, all tenants are over at a time.
MOST_NAMED = 20

Tenants = frozenset[uuid.UUID]
NOBODY: Tenants = frozenset()


class BacklogWatch:
    """Belongs to one event loop: `over` changes there, and `changed(came, went)` is called there."""

    def __init__(self, application: str, changed: Callable[[Tenants, Tenants], None]) -> None:
        """`application` is how the server's list of connections names this one."""
        self.over: Tenants = NOBODY
        self.total = together({}, _now())
        self.timers = timers.Clock()  # what waits for a time at rule nodes
        self.times = 0  # that a tenant came to be over
        self.results = dict.fromkeys(RESULTS, 0)  # what became of work outside, over all workers
        self._application, self._changed = application, changed
        self._bounds = Bounds.from_settings()
        self._connection: psycopg.Connection[Any] | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="backlog", daemon=True)
        self._looked: asyncio.Event = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._blind = False

    async def start(self) -> None:
        """Watch from now on. Returns after the first look, or FIRST_LOOK_S."""
        self._thread.start()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._looked.wait(), FIRST_LOOK_S)

    async def close(self) -> None:
        """Watch no more. May be called without `start`."""
        self._stopping.set()
        if self._thread.is_alive():
            await asyncio.to_thread(self._end)

    def _end(self) -> None:
        connection = self._connection
        if connection is not None:
            with contextlib.suppress(psycopg.Error):
                connection.cancel()
        self._thread.join(CLOSE_S)

    def age(self) -> float:
        """For how long the oldest message of all tenants waits, in seconds."""
        return self.total.age(_now()) if self.total.messages else 0.0

    def age_outside(self) -> float:
        """For how long the oldest work outside is stored, in seconds."""
        return self.total.outside.age(_now())

    def late(self) -> float:
        """For how long the first timer of all tenants is due, in seconds."""
        return self.timers.late(_now())

    # In the thread.

    def _run(self) -> None:
        over = NOBODY
        while not self._stopping.is_set():
            rest, found = self._look()
            if found is not None:
                now = _now()
                over = self._bounds.over(found, over, now)
            with contextlib.suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(self._tell, over, None if found is None else together(found, now))
            self._stopping.wait(rest)
        self._drop()

    def _look(self) -> tuple[float, dict[uuid.UUID, Backlog] | None]:
        """For how long to rest afterwards (s), and what was found: None when the database could not be asked."""
        rest = float(settings.TB_RULE_BACKLOG_CHECK_SECONDS)
        self.results = counted() or self.results
        found, began = None, time.monotonic()
        try:
            if self._connection is None:
                self._connection = connect(self._application)
                # jit: it compiles for longer than this statement runs
                self._connection.execute(f"SET statement_timeout = '{STATEMENT_TIMEOUT}'; SET jit = off")
            began = time.monotonic()
            found = measure(self._connection)
            self.timers = timers.measure(self._connection)
            self._see()
        except (psycopg.Error, OSError) as error:
            self._drop()
            self._be_blind(error)
            if not isinstance(error, psycopg.errors.QueryCanceled):
                return rest, None  # it is away, not busy with our look
        return max(rest, min(REST_PER_LOOK * (time.monotonic() - began), LONGEST_REST_S)), found

    def _be_blind(self, error: Exception) -> None:
        if not self._blind and not self._stopping.is_set():
            log.warning("The backlog of the rule engine cannot be measured, so nothing changes: %s", str(error).strip())
        self._blind = True

    def _see(self) -> None:
        if self._blind:
            log.info("The backlog of the rule engine is measured again.")
        self._blind = False

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    # On the loop.

    def _tell(self, over: Tenants, total: Backlog | None) -> None:
        if total is not None:
            self.total = total
        came, went, self.over = over - self.over, self.over - over, over
        self.times += len(came)
        _say(logging.WARNING, "Tenant %s has too much waiting for the rule engine: its devices are not served.", came)
        _say(logging.INFO, "The backlog of tenant %s is worked off: its devices are served again.", went)
        if came or went:
            self._changed(came, went)
        self._looked.set()


def _now() -> int:
    """Ms since 1970, of the machine: as the rows' times are."""
    return int(time.time() * 1000)


def _say(level: int, sentence: str, tenants: Iterable[uuid.UUID]) -> None:
    ordered = sorted(tenants)
    for tenant in ordered[:MOST_NAMED]:
        log.log(level, sentence, tenant)
    if len(ordered) > MOST_NAMED:
        log.log(level, "The same of %d more tenants.", len(ordered) - MOST_NAMED)
