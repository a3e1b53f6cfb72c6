"""Kicks of the effects workers (kernel.kicker): there is stored work. Whoever wakes looks for work of all tenants."""

from thingsboard.kernel.kicker import Kicker

TASK = "rules.tasks.work_outside"
QUEUE = "effects"
FLAG_MS = 5000
_ALL = frozenset({0})

_kicker = Kicker(TASK, QUEUE, "tb:kick:effects:", FLAG_MS)


def kick() -> None:
    """From any thread, at once: stored work is committed."""
    _kicker.kick(_ALL)


def clear_flag() -> None:
    """The worker is about to look for the last time: who commits from now on kicks again."""
    _kicker.clear(0)


def hold_flag() -> None:
    """The worker will look again soon: nobody need kick."""
    _kicker.hold(0)
