"""For how long a process may give time stamps. Read by the ingest threads before every batch, governed by nodes.py.

A process that was frozen beyond its lease has lost its devices to others without having heard of it. What it has read in
the meantime must not be stamped before it knows which of its sessions are still its own.
"""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

from thingsboard.kernel.batch import Refused
from thingsboard.transports.messages import Uplink

TAKEN_OVER: Final = Refused("takeover", "The device has connected anew.")
STOPPING: Final = Refused("unavailable", "The platform is stopping.")

_PATIENCE = 0.5  # seconds between two looks at the clock

# Counts on while the machine sleeps, where there is such a clock.
_CLOCK: int | None = getattr(time, "CLOCK_BOOTTIME", None)


def elapsed() -> float:
    """Seconds since the machine started."""
    return time.monotonic() if _CLOCK is None else time.clock_gettime(_CLOCK)


class Lease:
    """Holds for ever until it is `extend`ed for the first time, so a transport without a registry needs no care."""

    def __init__(self, now: Callable[[], float] = elapsed) -> None:
        self._now = now
        self._until = float("inf")  # by `now`
        self._lost: set[object] = set()
        self._closed = False
        self._changed = threading.Condition()

    def over(self) -> bool:
        """Whether it has ended."""
        return self._now() >= self._until

    def clear(self) -> bool:
        """Whether every session may go on: the lease holds and none is known to be lost. Called for every batch."""
        return not self._lost and self._now() < self._until

    def extend(self, until: float) -> None:
        """It holds until this reading of the clock (s); who waits for it goes on."""
        with self._changed:
            self._until = until
            self._changed.notify_all()

    def lose(self, session: object) -> None:
        """Others hold this session now: nothing of it may be stamped any more."""
        self._lost.add(session)

    def forget(self, session: object) -> None:
        """Nothing of this session is on its way any more."""
        self._lost.discard(session)

    def close(self) -> None:
        """The process ends: nobody waits any longer."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def screen(self, messages: Sequence[Uplink]) -> dict[int, Refused]:
        """Wait until the lease holds, then say which messages must be refused, by index. Blocks; for ingest threads."""
        with self._changed:
            while self.over():
                if self._closed:
                    return dict.fromkeys(range(len(messages)), STOPPING)
                self._changed.wait(_PATIENCE)
        lost = self._lost
        return {index: TAKEN_OVER for index, message in enumerate(messages) if message.session in lost}
