"""Kicks of the rule engine (kernel.kicker): there is work in lanes of the queue."""

from collections.abc import Iterable

import celery

from thingsboard.kernel.kicker import Kicker
from thingsboard.kernel.outbox.flows import group_of

TASK = "rules.tasks.drain"
QUEUE = "rules"
FLAG_MS = 5000  # a drain that died lets go of its flag after this time

_kicker = Kicker(TASK, QUEUE, "tb:kick:", FLAG_MS)
clear_flag = _kicker.clear
hold_flag = _kicker.hold


def kick(lanes: Iterable[int]) -> None:
    """From any thread, at once: there is work in these lanes, committed."""
    _kicker.kick({group_of(lane) for lane in lanes})


def resend(group: int) -> None:
    """A drain stops before its work is done: have it go on, behind what else waits for the workers."""
    celery.current_app.send_task(TASK, args=(group,), queue=QUEUE, ignore_result=True)


__all__ = ["FLAG_MS", "clear_flag", "hold_flag", "kick", "resend"]
