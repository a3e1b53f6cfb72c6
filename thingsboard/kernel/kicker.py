"""Kicks: tell a worker that there is work. Losing one costs a second (a sweeper), never data.

A kick is a Celery task without content, sent only where none is on its way: a flag in Redis says so. It costs 290 us, so it
is sent by a thread; many kicks of a group at a time are one.
"""

import logging
import threading
from collections.abc import Set

import celery
import redis

from thingsboard.kernel.bus import client

log = logging.getLogger(__name__)


class Kicker:
    """One thread of a process that sends kicks of one kind; started with the first one."""

    def __init__(self, task: str, queue: str, flag: str, flag_ms: int) -> None:
        """The Celery task, its queue, and the prefix of the flags in Redis, which expire after so many ms."""
        self._task, self._queue, self._flag, self._flag_ms = task, queue, flag, flag_ms
        self._wanted: set[int] = set()
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._away = False

    def kick(self, groups: Set[int]) -> None:
        """From any thread, at once: there is work for these groups, committed."""
        with self._lock:
            if groups <= self._wanted:
                return
            self._wanted |= groups
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=self._queue + " kicks", daemon=True)
                self._thread.start()
        self._wake.set()

    def _run(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            with self._lock:
                groups, self._wanted = self._wanted, set()
            for group in groups:
                self._send(group)

    def _send(self, group: int) -> None:
        try:
            if client().set(self._flag + str(group), b"1", nx=True, px=self._flag_ms):
                celery.current_app.send_task(
                    self._task, args=(group,), queue=self._queue, ignore_result=True, retry=False
                )
            self._away = False
        except Exception as error:
            # kombu lets whatever its transport raises through; the sweeper finds the work
            if not self._away:
                log.warning("A kick is lost, the sweeper finds the work: %s", error)
            self._away = True

    def clear(self, group: int) -> None:
        """Whoever does this group's work is about to look for the last time: who commits from now on kicks again."""
        try:
            client().delete(self._flag + str(group))
        except redis.RedisError:
            return  # then it expires

    def hold(self, group: int) -> None:
        """Somebody works for this group, and will look again: nobody need kick."""
        try:
            client().set(self._flag + str(group), b"1", px=self._flag_ms)
        except redis.RedisError:
            return
