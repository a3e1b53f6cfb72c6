"""Works off the queue: one drain for each group of lanes at a time, in a thread of some rules worker."""

import logging
import threading
import time
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection as django_connection

from rules.engine.batch import AWAY, Runner
from rules.engine.fairness import Turns
from rules.engine.slices import Slicer
from rules.engine.tools import Tools
from telemetry.store.batch import introspect
from thingsboard.kernel.collector import tune_collector
from thingsboard.kernel.disk import watch
from thingsboard.kernel.outbox.claims import Looks
from thingsboard.kernel.outbox.kicks import clear_flag, hold_flag

log = logging.getLogger(__name__)

# After the last message a drain looks again for so long, ever more rarely: a kick costs more than some looks.
LINGER_S = 0.1
FIRST_PAUSE_S = 0.002
LONGEST_PAUSE_S = 0.02
# Flags last for seconds; this often they are held again.
HOLD_S = 1.0
LOOK_S = 0.05  # a list of flows that have work is believed for so long


class Drain:
    """Of one thread: what it keeps from one call to the next is worth the more the longer it lives."""

    def __init__(self) -> None:
        self._raw: psycopg.Connection[Any] | None = None
        self._slicer: Slicer | None = None
        self._looks: Looks | None = None
        self._tools: Tools | None = None
        self._turns = Turns()

    def work(self, group: int, seconds: float, *, linger_s: float = LINGER_S) -> bool:
        """Work off the flows of the group for up to about so many seconds; True when something may be left.

        Raises nothing for a database that is away: then nothing is done, and the sweeper comes again.
        """
        until = time.monotonic() + seconds
        try:
            self._connect()
            return self._work(group, until, linger_s)
        except AWAY as error:
            log.warning("The rule engine waits for the database: %s", str(error).strip().splitlines()[:1])
            self.close()
            return False
        except Exception:
            self.close()
            raise

    def close(self) -> None:
        """Let the connections go."""
        if self._tools is not None:
            self._tools.close()
        django_connection.close()
        self._raw = self._slicer = self._looks = self._tools = None

    def _work(self, group: int, until: float, linger_s: float) -> bool:
        idle_since: float | None = None
        pause = FIRST_PAUSE_S
        held = float("-inf")
        last_look = False
        while True:
            now = time.monotonic()
            if not last_look and now - held > HOLD_S:
                hold_flag(group)
                held = now
            if watch().shortage() is not None:
                return False  # the disk is nearly full: what waits is safe where it is
            if self._round(group, until):
                idle_since, pause, last_look = None, FIRST_PAUSE_S, False
            elif last_look:
                return False
            else:
                idle_since = now if idle_since is None else idle_since
                if now - idle_since >= linger_s:
                    clear_flag(group)
                    held, last_look = float("-inf"), True
                    continue
                time.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE_S)
            if time.monotonic() >= until:
                return True

    def _round(self, group: int, until: float) -> bool:
        """Look for work and do it for a moment; False when there was none."""
        if self._looks is None or self._slicer is None:
            return False
        ready = {flow.id: flow for flow in self._looks.ready(settings.TB_RULE_DRAINS, group)}
        if not ready:
            return False
        looked = time.monotonic()
        worked = False
        while ready:
            flow = self._turns.next(ready.values())
            began = time.monotonic()
            done = self._slicer.work(flow, self._turns.size(flow))
            ended = time.monotonic()
            self._turns.served(flow, done.messages, ended - began)
            worked = worked or bool(done.messages)
            if not done.more or not done.messages:
                del ready[flow.id]
            if ended >= until or ended - looked > LOOK_S:
                break  # somebody who was idle may be waiting
        return worked

    def _connect(self) -> None:
        django_connection.ensure_connection()
        # Celery closes connections as old as CONN_MAX_AGE after each task; what is known of empty flows would go with it.
        django_connection.close_at = None
        raw: psycopg.Connection[Any] = django_connection.connection
        if raw is self._raw:
            return
        if self._tools is not None:
            self._tools.close()
        raw.prepare_threshold = 5
        # Nobody was promised anything by what a drain commits: after a crash of the server the messages of the last moment
        # are in the queue again, and what they caused is gone with them (docs/decisions/0039).
        raw.execute("SET synchronous_commit = off")
        self._raw = raw
        self._looks = Looks(raw)
        self._tools = Tools(raw, introspect(raw))
        self._slicer = Slicer(self._looks, Runner(self._tools))


_local = threading.local()
_first = threading.Lock()
_tuned = threading.Event()


def drain_of_this_thread() -> Drain:
    """Each thread of a worker keeps its own."""
    found: Drain | None = getattr(_local, "drain", None)
    if found is None:
        found = _local.drain = Drain()
        with _first:
            if not _tuned.is_set():
                _tuned.set()
                tune_collector()
    return found
