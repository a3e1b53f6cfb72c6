"""Many windows of many series, read by one statement: what rule nodes ask of history for a batch of messages.

Points that somebody is about to write can be laid over those that are stored: they count as if they were.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from math import isfinite
from typing import Any, Final, NamedTuple

from telemetry.points import END_OF_TIME_MS, Aggregation, Json, Point, Value
from telemetry.query import AGGREGATES, COLUMNS, VALUES
from telemetry.store.rows import unpack

# Points to be written of one series, by time (ms).
Fresh = Mapping[int, Value]

# The outer bounds let the server leave out partitions that no window touches.
_WINDOWS: Final = """
SELECT w.place, p.* FROM unnest(%(places)s::int[], %(entities)s::uuid[], %(keys)s::text[], %(lows)s::bigint[],
    %(highs)s::bigint[], %(without)s::text[]) AS w(place, entity, name, low, high, without)
JOIN ts_key k ON k.name = w.name
CROSS JOIN LATERAL (
    SELECT {what} FROM ts_kv_all
    WHERE entity_id = w.entity AND key_id = k.id AND ts >= w.low AND ts < w.high AND ts >= %(low)s AND ts < %(high)s {how}
) p
"""


class SeriesWindow(NamedTuple):
    """One series of an entity from `start_ts` on and before `end_ts` (ms)."""

    entity_id: uuid.UUID
    key: str
    start_ts: int
    end_ts: int

    @property
    def low(self) -> int:
        """Where points can begin, in ms."""
        return min(max(self.start_ts, 0), END_OF_TIME_MS)

    @property
    def high(self) -> int:
        """Where points must end, in ms."""
        return min(max(self.end_ts, 0), END_OF_TIME_MS)

    @property
    def middle(self) -> int:
        """The time (ms) of what stands for the whole of it."""
        return self.low + (self.end_ts - self.low) // 2


class Windows:
    """What is asked of each of some windows, of which there is one at least: the oldest `limit` points, or the newest if
    `descending`; or, with an aggregation, one point for all of them. `fresh` has of each window what lies over the store.
    """

    def __init__(
        self, windows: Sequence[SeriesWindow], limit: int, *, descending: bool, agg: Aggregation, fresh: Sequence[Fresh]
    ) -> None:
        self._windows, self._limit, self._descending, self._agg = windows, limit, descending, agg
        self._fresh = [
            {ts: value for ts, value in points.items() if window.low <= ts < window.high} if points else points
            for window, points in zip(windows, fresh, strict=True)
        ]

    def sql(self) -> str:
        """The statement for `parameters`."""
        if self._agg is Aggregation.NONE:
            order = "DESC" if self._descending else "ASC"
            return _WINDOWS.format(what=f"ts, {COLUMNS}", how=f"ORDER BY ts {order} LIMIT %(limit)s")
        return _WINDOWS.format(what=AGGREGATES[self._agg], how="AND ts <> ALL(w.without::bigint[]) HAVING count(*) > 0")

    def parameters(self) -> dict[str, Any]:
        """The statement's parameters."""
        return {
            "places": list(range(len(self._windows))),
            "entities": [each.entity_id for each in self._windows],
            "keys": [each.key for each in self._windows],
            "lows": [each.low for each in self._windows],
            "highs": [each.high for each in self._windows],
            "without": ["{" + ",".join(map(str, points)) + "}" for points in self._fresh],
            "low": min(each.low for each in self._windows),
            "high": max(each.high for each in self._windows),
            "limit": self._limit,
        }

    def points(self, rows: Iterable[Sequence[Any]]) -> list[list[Point]]:
        """The statement's rows as the points of each window, in their order. Raises ValueError where a sum is too large."""
        found: list[list[Sequence[Any]]] = [[] for _ in self._windows]
        for place, *row in rows:
            found[place].append(row)
        merge = self._merged if self._agg is Aggregation.NONE else self._aggregated
        return [merge(*each) for each in zip(self._windows, found, self._fresh, strict=True)]

    def _merged(self, window: SeriesWindow, rows: Sequence[Sequence[Any]], fresh: Fresh) -> list[Point]:
        known = {**{ts: unpack(columns) for ts, *columns in rows}, **fresh}
        return [Point(ts, known[ts]) for ts in sorted(known, reverse=self._descending)[: self._limit]]

    def _aggregated(self, window: SeriesWindow, rows: Sequence[Sequence[Any]], fresh: Fresh) -> list[Point]:
        parts = [*rows, *([_totals(self._agg, list(fresh.values()))] if fresh else [])]
        if not parts:
            return []
        value = VALUES[self._agg](*(_together(self._agg, column) for column in zip(*parts, strict=True)))
        if isinstance(value, float) and not isfinite(value):
            raise ValueError("The sum of the values is larger than a double can hold.")
        return [] if value is None else [Point(window.middle, value)]


def _totals(agg: Aggregation, values: Sequence[Value]) -> tuple[Any, ...]:
    """What the statement would say of these values: the columns of query.AGGREGATES."""
    if agg is Aggregation.COUNT:
        return (len(values),)
    whole = [each for each in values if type(each) is int]
    fractional = [each for each in values if type(each) is float]
    if agg in (Aggregation.SUM, Aggregation.AVG):
        return len(whole), len(fractional), sum(whole), sum(fractional)
    texts = [each for each in values if isinstance(each, str) and not isinstance(each, Json)]
    choose = min if agg is Aggregation.MIN else max
    return tuple(choose(each) if each else None for each in (whole, fractional, texts))


def _together(agg: Aggregation, column: Sequence[Any]) -> Any:
    """One of these columns of two parts of a series."""
    known = [each for each in column if each is not None]
    if not known:
        return None
    return min(known) if agg is Aggregation.MIN else max(known) if agg is Aggregation.MAX else sum(known)
