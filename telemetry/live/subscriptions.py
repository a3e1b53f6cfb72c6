"""Subscriptions to one entity: ATTRIBUTES and TIMESERIES (compat/websocket.md 4.1).

A subscription marks what changed (`changed`) and gives out a frame when its turn comes (`take`); both on the event loop.
`read` is called in a database thread and touches nothing, `begin` and `catch_up` put what it found in its place.
"""

import uuid
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from django.conf import settings

from telemetry.fanout import SERIES
from telemetry.live import reads
from telemetry.live.conflation import Appended, Gap, Newest, Sample
from telemetry.live.frames import Fault, error_frame, values_frame
from thingsboard.kernel.ids import EntityId, EntityType

WITHDRAWN = "The entity is not available to you any more."

# By entity and scope (or SERIES): what was committed, each value as text; None where it is to be read.
Texts = Mapping[str, str | None]


class Subscription(ABC):
    """One command of one socket that has not been unsubscribed."""

    def __init__(self, cmd_id: int) -> None:
        self.cmd_id = cmd_id
        self.due = 0.0  # when it may send its next frame, by the event loop's clock
        self.stale = False  # everything is to be read anew
        self.begun = False  # its first frame is on its way: until then changes only gather

    @abstractmethod
    def entities(self) -> Collection[EntityId]:
        """What it watches."""

    @abstractmethod
    def changed(self, entity: bytes, scope: int, ts: int, values: Texts) -> bool:
        """Something was committed; whether there is something to do now."""

    @abstractmethod
    def take(self) -> str | None:
        """The frame with everything that waits; None where nothing does."""

    def question(self) -> Any:
        """What `read` is to ask for this time."""
        return None

    @abstractmethod
    def read(self, user: Any, question: Any) -> Any:
        """What the store says now. Raises NotFound for what the user may not see."""

    @abstractmethod
    def begin(self, found: Any) -> str:
        """The first frame, from what was read."""

    @abstractmethod
    def catch_up(self, found: Any, question: Any) -> str | None:
        """A frame with what was missed, from what was read once more, and what was asked for then."""

    @abstractmethod
    def withdraw(self, gone: Collection[uuid.UUID]) -> tuple[bool, str | None]:
        """These entities are the user's no more: whether the subscription goes on, and what is to be said at once."""

    def missed(self) -> None:
        """News may have been lost."""
        self.stale = True


class _OfOne(Subscription):
    """To one entity."""

    def __init__(self, cmd_id: int, entity: EntityId, keys: Iterable[str] | None) -> None:
        super().__init__(cmd_id)
        self.entity = entity
        self.keys = None if keys is None else frozenset(keys)

    def entities(self) -> Collection[EntityId]:
        return [self.entity]

    def withdraw(self, gone: Collection[uuid.UUID]) -> tuple[bool, str | None]:
        return False, error_frame(self.cmd_id, Fault.UNAUTHORIZED, WITHDRAWN)

    def _wanted(self, values: Texts) -> Iterable[tuple[str, str | None]]:
        keys = self.keys
        return values.items() if keys is None else [each for each in values.items() if each[0] in keys]


class LatestOfOne(_OfOne):
    """The newest values of keys: attributes of a scope (None: of any), or series (SERIES)."""

    def __init__(self, cmd_id: int, entity: EntityId, keys: Iterable[str] | None, scope: int | None) -> None:
        super().__init__(cmd_id, entity, keys)
        self._scopes = frozenset((1, 2, 3) if scope is None else (scope,))
        self._values: Newest[str] = Newest()

    def changed(self, entity: bytes, scope: int, ts: int, values: Texts) -> bool:
        """Values of its scope; those that went or are too long to be told are read."""
        if scope not in self._scopes:
            return False
        for key, value in self._wanted(values):
            if value is None:
                self._values.forget(key)
                self.stale = True
            else:
                self._values.offer(key, Sample(ts, value))
        return self.stale or bool(self._values)

    def take(self) -> str | None:
        """The newest of each that changed."""
        return self._frame(self._values.take())

    def read(self, user: Any, question: None) -> dict[str, Sample]:
        """All its values."""
        reads.require_visible(self.entity, user)
        ids = [self.entity.id]
        if SERIES in self._scopes:
            return {key: sample for (_, key), sample in reads.latest(ids, self.keys).items()}
        found: dict[str, Sample] = {}
        for (_, _, key), sample in reads.attributes(ids, self._scopes, self.keys).items():
            if key not in found or found[key].ts <= sample.ts:
                found[key] = sample
        return found

    def begin(self, found: dict[str, Sample]) -> str:
        """All of them."""
        self._values.begin(found)
        return values_frame(self.cmd_id, {key: [sample] for key, sample in found.items()})

    def catch_up(self, found: dict[str, Sample], question: None) -> str | None:
        """Those of which the client knows something else."""
        return self._frame(self._values.differ(found))

    def _frame(self, found: Mapping[str, Sample]) -> str | None:
        return values_frame(self.cmd_id, {key: [sample] for key, sample in found.items()}) if found else None


class PointsOfOne(_OfOne):
    """Every point of keys. What comes first is a window of history, or the latest values."""

    def __init__(
        self, cmd_id: int, entity: EntityId, keys: Iterable[str] | None, window: reads.Window | None = None
    ) -> None:
        super().__init__(cmd_id, entity, keys)
        self._window = window
        since = 0 if window is None else window.since
        self._points: Appended[str] = Appended(settings.TB_WS_MAX_POINTS, since)

    def changed(self, entity: bytes, scope: int, ts: int, values: Texts) -> bool:
        """Of series, points; a deletion takes nothing back."""
        if scope != SERIES or not ts:  # a deletion takes nothing back of what was shown
            return False
        for key, value in self._wanted(values):
            self._points.offer(key, ts, value)
        self.stale = self.stale or self._points.incomplete
        return self.stale or bool(self._points)

    def missed(self) -> None:
        """Everything after the last point that was sent is to be read."""
        self._points.missed()
        self.stale = True

    def take(self) -> str | None:
        """All points that wait."""
        return self._frame(self._points.take())

    def question(self) -> Gap | None:
        """The range that is to be read; what comes from now on is kept again."""
        return self._points.question()

    def read(self, user: Any, question: Gap | None) -> dict[str, list[Sample]]:
        """What is shown first, or the points of a range."""
        reads.require_visible(self.entity, user)
        if self.begun:
            return {} if question is None else reads.missed(self.entity.id, self.keys, question, question.last)
        if self._window is not None:
            return reads.history(self.entity.id, self._window)
        found = reads.latest([self.entity.id], self.keys)
        return {key: [sample] for (_, key), sample in found.items()}

    def begin(self, found: dict[str, list[Sample]]) -> str:
        """A window, or the latest values."""
        if self._window is None or self._window.raw:
            self._points.begin(found)
        return values_frame(self.cmd_id, found)

    def catch_up(self, found: dict[str, list[Sample]], question: Gap | None) -> str | None:
        """The points of the range."""
        return self._frame(self._points.fill(found))

    def _frame(self, found: Mapping[str, list[Sample]]) -> str | None:
        return values_frame(self.cmd_id, found) if found else None


def by_kind(entities: Iterable[EntityId]) -> dict[EntityType, set[uuid.UUID]]:
    """The ids of each kind of entity."""
    found: dict[EntityType, set[uuid.UUID]] = {}
    for entity in entities:
        found.setdefault(entity.type, set()).add(entity.id)
    return found
