"""How often the node "device state" takes a message of one device (compat/rule_nodes.tsv: 1:1,30:60,60:3600)."""

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Final

# So many in so many ms; buckets are refilled evenly, as ThingsBoard's are.
RATES: Final = ((1, 1_000), (30, 60_000), (60, 3_600_000))
MOST_REMEMBERED = 100_000

Key = tuple[bytes, bytes]  # node, device
# What is left in each bucket, as of when (ms).
Buckets = tuple[tuple[float, ...], int]


class _Memory:
    """Of a process; a restart forgets it, as in ThingsBoard."""

    def __init__(self) -> None:
        self._known: OrderedDict[Key, Buckets] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Key) -> Buckets | None:
        return self._known.get(key)

    def add(self, fresh: Mapping[Key, Buckets]) -> None:
        with self._lock:
            for key, buckets in fresh.items():
                self._known[key] = buckets
                self._known.move_to_end(key)
            while len(self._known) > MOST_REMEMBERED:
                self._known.popitem(last=False)


_memory = _Memory()


class Signals:
    """Of one batch, after `earlier` parts of the same transaction. `committed` has the process remember what was taken, so a
    batch that runs again gets the same answers.
    """

    def __init__(self, earlier: "Sequence[Signals]" = ()) -> None:
        self._fresh: dict[Key, Buckets] = {}
        self._earlier = earlier

    def take(self, node: bytes, device: bytes, now: int) -> bool:
        """Whether one more is taken at `now` (ms)."""
        key = (node, device)
        left, since = self._known(key) or (tuple(float(most) for most, _ in RATES), now)
        passed = max(0, now - since)
        filled = tuple(
            min(float(most), each + passed * most / ms) for each, (most, ms) in zip(left, RATES, strict=True)
        )
        taken = min(filled) >= 1
        self._fresh[key] = (tuple(each - 1 for each in filled) if taken else filled, max(now, since))
        return taken

    def _known(self, key: Key) -> Buckets | None:
        for signals in (self, *reversed(self._earlier)):
            if key in signals._fresh:
                return signals._fresh[key]
        return _memory.get(key)

    def committed(self) -> None:
        """What was taken is part of what happened."""
        if self._fresh:
            _memory.add(self._fresh)
