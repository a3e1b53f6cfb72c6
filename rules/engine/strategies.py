"""What a queue does with messages that failed (compat/rule_engine.md, "Dispatch and queues"), expressed in lanes."""

import time
from typing import Any, NamedTuple

from rules.models import Queue

BELIEVED_S = 5.0


class Strategy(NamedTuple):
    """`retries`: how often a failed message is tried again, -1: for ever; pauses in seconds. `in_order`: until it is done or
    given up, its lane waits.
    """

    retries: int = 0
    pause_s: float = 3.0
    longest_pause_s: float = 3.0
    in_order: bool = False

    def pause(self, retries: int) -> float:
        """Before the next try, when there were so many: doubled up to the longest."""
        return float(min(self.pause_s * 2 ** min(retries, 20), self.longest_pause_s))


class Strategies:
    """Those of all queues, believed for some seconds. Of one thread."""

    def __init__(self) -> None:
        self._known: dict[str, Strategy] = {}
        self._until = float("-inf")

    def of(self, queue: str) -> Strategy:
        """The strategy of a queue; of one that is unknown, that of Main."""
        if time.monotonic() >= self._until:
            self._known = {
                each.name: strategy(each.submit_strategy, each.processing_strategy) for each in Queue.objects.all()
            }
            self._until = time.monotonic() + BELIEVED_S
        return self._known.get(queue, Strategy())


def strategy(submit: dict[str, Any], processing: dict[str, Any]) -> Strategy:
    """From ThingsBoard's two: RETRY... tries again (retries 0: for ever), SKIP... does not; SEQUENTIAL... keeps the order."""
    in_order = str(submit.get("type", "")).startswith("SEQUENTIAL")
    if not str(processing.get("type", "")).startswith("RETRY"):
        return Strategy(in_order=in_order)
    retries = int(processing.get("retries") or 0) or -1
    pause = max(0.001, float(processing.get("pauseBetweenRetries") or 0))
    return Strategy(retries, pause, max(pause, float(processing.get("maxPauseBetweenRetries") or 0)), in_order)
