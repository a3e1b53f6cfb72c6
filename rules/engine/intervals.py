"""Which entities a node has met in which interval of time: what the strategy DEDUPLICATE of the save nodes asks."""

import threading
from collections import OrderedDict
from collections.abc import Sequence

from thingsboard.kernel.ids import EntityId

Key = tuple[tuple[bytes, str], bytes, int]  # node and purpose, entity, number of the interval

MOST_REMEMBERED = 100_000


class _Memory:
    """Of a process; a restart forgets it, as in ThingsBoard."""

    def __init__(self) -> None:
        self._met: OrderedDict[Key, None] = OrderedDict()
        self._lock = threading.Lock()

    def __contains__(self, key: Key) -> bool:
        return key in self._met

    def add(self, keys: Sequence[Key]) -> None:
        with self._lock:
            for key in keys:
                self._met[key] = None
            while len(self._met) > MOST_REMEMBERED:
                self._met.popitem(last=False)


_memory = _Memory()


class Firsts:
    """Of one batch, after `earlier` parts of the same transaction; `committed` has the process remember what it asked."""

    def __init__(self, earlier: "Sequence[Firsts]" = ()) -> None:
        self._fresh: dict[Key, None] = {}
        self._earlier = earlier

    def ask(self, who: tuple[bytes, str], asked: Sequence[tuple[EntityId, int]], interval_ms: int) -> list[bool]:
        """Of each (entity, ms): whether it is the first one of its interval."""
        answers = []
        for entity, ts in asked:
            key = (who, entity.id.bytes, ts // max(1, interval_ms))
            answers.append(not (key in _memory or key in self._fresh or self._met_earlier(key)))
            self._fresh[key] = None
        return answers

    def _met_earlier(self, key: Key) -> bool:
        return any(key in each._fresh for each in self._earlier)

    def mark(self) -> int:
        """How much was asked; `undo` goes back to it."""
        return len(self._fresh)

    def undo(self, mark: int) -> None:
        """Nobody asked since."""
        while len(self._fresh) > mark:
            self._fresh.popitem()

    def committed(self) -> None:
        """What was asked is part of what happened."""
        if self._fresh:
            _memory.add(list(self._fresh))
