"""Kicks: tell the rule engine that there is work. Losing one costs a second (the sweeper), never data.

A kick is a Celery task without content, sent only where none is on its way: a flag in Redis says so. It costs 290 us, so it
is sent by a thread; many kicks of a group at a time are one.
"""

import logging
import threading
from collections.abc import Iterable

import celery
import redis

from thingsboard.kernel.bus import client
from thingsboard.kernel.outbox.flows import group_of

log = logging.getLogger(__name__)

TASK = "rules.tasks.drain"
QUEUE = "rules"
FLAG = "tb:kick:"
FLAG_MS = 5000  # a drain that died lets go of its flag after this time
COMPLAIN_S = 30.0


class Kicker:
    """One thread of a process that sends kicks; started with the first one."""

    def __init__(self) -> None:
        self._wanted: set[int] = set()
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._away = False

    def kick(self, lanes: Iterable[int]) -> None:
        """From any thread, at once: there is work in these lanes, committed."""
        groups = {group_of(lane) for lane in lanes}
        with self._lock:
            if groups <= self._wanted:
                return
            self._wanted |= groups
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="kicks", daemon=True)
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
            if client().set(FLAG + str(group), b"1", nx=True, px=FLAG_MS):
                celery.current_app.send_task(TASK, args=(group,), queue=QUEUE, ignore_result=True, retry=False)
            self._away = False
        except Exception as error:
            # kombu lets whatever its transport raises through; the sweeper finds the work
            if not self._away:
                log.warning("A kick is lost, the sweeper finds the work: %s", error)
            self._away = True


_kicker = Kicker()
kick = _kicker.kick


def resend(group: int) -> None:
    """A drain stops before its work is done: have it go on, behind what else waits for the workers."""
    celery.current_app.send_task(TASK, args=(group,), queue=QUEUE, ignore_result=True)


def clear_flag(group: int) -> None:
    """A drain is about to look for the last time: whoever commits from now on kicks again."""
    try:
        client().delete(FLAG + str(group))
    except redis.RedisError:
        return  # then it expires


def hold_flag(group: int) -> None:
    """A drain works, and will look again: nobody need kick."""
    try:
        client().set(FLAG + str(group), b"1", px=FLAG_MS)
    except redis.RedisError:
        return


__all__ = ["FLAG_MS", "clear_flag", "hold_flag", "kick", "resend"]
