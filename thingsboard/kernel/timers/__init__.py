"""What waits for a time, exactly once: messages that are appended to the queue when they are due, or when they are answered."""

from thingsboard.kernel.timers.answering import Answer, Answered, answer
from thingsboard.kernel.timers.firing import Fired, fire
from thingsboard.kernel.timers.setting import (
    Clock,
    Timer,
    Waiting,
    cancel_owners,
    cancel_tenants,
    measure,
    set_single,
    set_timers,
    waiting_of_owner,
    waiting_of_tenant,
)

__all__ = [
    "Answer",
    "Answered",
    "Clock",
    "Fired",
    "Timer",
    "Waiting",
    "answer",
    "cancel_owners",
    "cancel_tenants",
    "fire",
    "measure",
    "set_single",
    "set_timers",
    "waiting_of_owner",
    "waiting_of_tenant",
]
