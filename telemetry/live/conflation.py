"""What happens to changes that come faster than they are sent: the newest value of a key stays, points are gathered.

Pure, on one event loop. Times are ms, values are texts (telemetry.text). What was sent is remembered as its hash.
"""

from collections.abc import Callable, Hashable, Mapping
from types import MappingProxyType
from typing import Any, Generic, NamedTuple, TypeVar

K = TypeVar("K", bound=Hashable)


class Sample(NamedTuple):
    """A value and its time (ms)."""

    ts: int
    value: str


GONE = Sample(0, "")  # how ThingsBoard says that there is no value (any more)


class Newest(Generic[K]):
    """Latest values: of many changes the newest is sent; what the client knows already is not (compat/websocket.md 5)."""

    def __init__(self) -> None:
        self._known: dict[K, tuple[int, int]] = {}
        self._waiting: dict[K, Sample] = {}

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def offer(self, key: K, sample: Sample) -> None:
        """A change: kept unless a newer one waits, or the client knows a newer one or this very one."""
        waiting = self._waiting.get(key)
        if self._news(key, sample) if waiting is None else sample.ts >= waiting.ts:
            self._waiting[key] = sample

    def forget(self, key: K) -> None:
        """What waits of this key is outdated: it will be read anew."""
        self._waiting.pop(key, None)

    def drop(self, which: Callable[[K], bool]) -> None:
        """Forget everything about these keys."""
        self._waiting = {key: sample for key, sample in self._waiting.items() if not which(key)}
        self._known = {key: known for key, known in self._known.items() if not which(key)}

    def take(self) -> dict[K, Sample]:
        """What is to be sent; known from now on."""
        found, self._waiting = self._waiting, {}
        self._remember(found)
        return found

    def begin(self, found: Mapping[K, Sample]) -> None:
        """The client is being told this first. What came while it was read still waits, where it is newer."""
        self._remember(found)
        self._waiting = {key: sample for key, sample in self._waiting.items() if self._news(key, sample)}

    def differ(self, found: Mapping[K, Sample]) -> dict[K, Sample]:
        """What everything says now, as against what the client knows: to be sent; known from now on."""
        news = {key: sample for key, sample in found.items() if self._known.get(key) != _trace(sample)}
        gone = _trace(GONE)
        news |= {key: GONE for key, known in self._known.items() if key not in found and known != gone}
        self._remember(news)
        self._waiting = {key: sample for key, sample in self._waiting.items() if self._news(key, sample)}
        return news

    def _news(self, key: K, sample: Sample) -> bool:
        known = self._known.get(key)
        return known is None or sample.ts > known[0] or (sample.ts == known[0] and _trace(sample) != known)

    def _remember(self, found: Mapping[K, Sample]) -> None:
        for key, sample in found.items():
            self._known[key] = _trace(sample)


def _trace(sample: Sample) -> tuple[int, int]:
    return sample.ts, hash(sample.value)


class Gap(NamedTuple):
    """Points that are to be read: those of a range of time (ms, both ends included; empty where `low` is above `high`).

    Where news may be lost also those behind the last of each key that was sent, or from `since` on where none was.
    """

    low: int
    high: int
    lost: bool = False
    last: Mapping[Any, int] = MappingProxyType({})
    since: int = 0


_NONE = Gap(2**62, -1)


class Appended(Generic[K]):
    """Points: all of them are sent, many in one frame. Where there are too many to keep, they are read instead."""

    def __init__(self, most: int, since: int) -> None:
        """Keeps at most so many points; `since` (ms) is from when points of a key are missed of which none was sent."""
        self._most, self._since = most, since
        self._last: dict[K, int] = {}
        self._waiting: dict[K, dict[int, str]] = {}
        self._count = 0
        self._gap = _NONE
        self._read: dict[K, set[Sample]] = {}  # what was read last; the news of it may still be on their way

    def __bool__(self) -> bool:
        return bool(self._waiting)

    @property
    def incomplete(self) -> bool:
        """Whether something has to be read."""
        return self._gap is not _NONE

    def offer(self, key: K, ts: int, value: str | None) -> None:
        """A point; without its value it has to be read."""
        if value is not None and Sample(ts, value) in self._read.get(key, ()):
            return
        if not self.incomplete and value is not None and self._count < self._most:
            points = self._waiting.setdefault(key, {})
            self._count += ts not in points
            points[ts] = value
            return
        times = [ts, *(each for points in self._waiting.values() for each in points)]
        self._gap = self._gap._replace(low=min(self._gap.low, *times), high=max(self._gap.high, *times))
        self._waiting, self._count = {}, 0

    def missed(self) -> None:
        """News may have been lost."""
        self._gap = self._gap._replace(lost=True)

    def drop(self, which: Callable[[K], bool]) -> None:
        """Forget everything about these keys."""
        self._waiting = {key: points for key, points in self._waiting.items() if not which(key)}
        self._count = sum([len(points) for points in self._waiting.values()])
        self._last = {key: last for key, last in self._last.items() if not which(key)}
        self._read = {key: points for key, points in self._read.items() if not which(key)}

    def take(self) -> dict[K, list[Sample]]:
        """What is to be sent, each key's points in the order of time."""
        found = {key: [Sample(*each) for each in sorted(points.items())] for key, points in self._waiting.items()}
        self._waiting, self._count = {}, 0
        self._remember(found)
        return found

    def begin(self, found: Mapping[K, list[Sample]]) -> None:
        """The client is being told these points, which were read; what waits may be among them."""
        self._remember(found)
        self._read = {key: set(sorted(points)[-self._most :]) for key, points in found.items()}
        waiting, self._waiting, self._count = self._waiting, {}, 0
        for key, points in waiting.items():
            for ts, value in points.items():
                self.offer(key, ts, value)

    def question(self) -> Gap | None:
        """What is to be read; what comes from now on is kept again."""
        gap, self._gap = self._gap, _NONE
        return None if gap is _NONE else gap._replace(last=dict(self._last), since=self._since)

    def fill(self, found: Mapping[K, list[Sample]]) -> dict[K, list[Sample]]:
        """The points of a gap that was read: what is to be sent."""
        self.begin(found)
        return {key: sorted(points) for key, points in found.items()}

    def _remember(self, found: Mapping[K, list[Sample]]) -> None:
        for key, points in found.items():
            if points:
                self._last[key] = max(self._last.get(key, -1), max([each.ts for each in points]))
