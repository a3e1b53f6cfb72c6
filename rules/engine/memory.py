"""What nodes remember of entities from one message to the next: of this process, and true once the batch is committed."""

import threading
from collections import OrderedDict
from collections.abc import Collection, Sequence
from typing import Any

from thingsboard.kernel.ids import EntityId

Key = tuple[tuple[bytes, str], bytes]  # node and purpose, entity

MOST_REMEMBERED = 100_000
_ABSENT = object()


class _Store:
    """The least recently used goes first; a restart forgets all, as in ThingsBoard."""

    def __init__(self) -> None:
        self._known: OrderedDict[Key, Any] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Key) -> Any:
        with self._lock:
            if key not in self._known:
                return _ABSENT
            self._known.move_to_end(key)
            return self._known[key]

    def put(self, changes: dict[Key, Any]) -> None:
        with self._lock:
            for key, value in changes.items():
                self._known[key] = value
                self._known.move_to_end(key)
            while len(self._known) > MOST_REMEMBERED:
                self._known.popitem(last=False)


_store = _Store()


class Memory:
    """Of one batch: its own changes over those of `earlier` parts of the same transaction over what the process remembers."""

    def __init__(self, earlier: "Sequence[Memory]" = ()) -> None:
        self._changes: dict[Key, Any] = {}
        self._journal: list[tuple[Key, Any]] = []  # what was changed, and what it was before
        self._earlier = earlier

    def get(self, who: tuple[bytes, str], entities: Collection[EntityId]) -> dict[EntityId, Any]:
        """What that node remembers of these entities for that purpose."""
        found = ((each, self._get((who, each.id.bytes))) for each in entities)
        return {each: value for each, value in found if value is not _ABSENT}

    def _get(self, key: Key) -> Any:
        for memory in (self, *reversed(self._earlier)):
            if key in memory._changes:
                return memory._changes[key]
        return _store.get(key)

    def put(self, who: tuple[bytes, str], entity: EntityId, value: Any) -> None:
        """That node remembers it from now on."""
        key = (who, entity.id.bytes)
        self._journal.append((key, self._changes.get(key, _ABSENT)))
        self._changes[key] = value

    def mark(self) -> int:
        """How much was changed; `undo` goes back to it."""
        return len(self._journal)

    def undo(self, mark: int) -> None:
        """Nothing was changed since."""
        while len(self._journal) > mark:
            key, before = self._journal.pop()
            if before is _ABSENT:
                del self._changes[key]
            else:
                self._changes[key] = before

    def committed(self) -> None:
        """What was changed is part of what happened."""
        if self._changes:
            _store.put(self._changes)
