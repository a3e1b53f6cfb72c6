"""Reading history: which intervals, which aggregate (compat/websocket.md 5.2, data_model.md 8)."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from itertools import islice
from typing import Any

from telemetry.intervals import IntervalType, calendar_borders
from telemetry.points import END_OF_TIME_MS, Aggregation, Point, Value
from telemetry.store.rows import unpack
from thingsboard.kernel.errors import BadRequest, PlatformError

MOST_INTERVALS = 700
LARGEST_LIMIT = 1_000_000  # per key
MOST_POINTS = 1_000_000  # in one answer
INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1

COLUMNS = "bool_v, long_v, dbl_v, str_v, json_v"
_MINE = "entity_id = %(entity)s AND key_id = k.id AND ts >= %(start)s AND ts < %(end)s"

# A device's keys are independent series, so each is read by its own range of the primary key, and has a limit of its
# own.
_RAW = f"""
SELECT k.name, p.ts, {COLUMNS} FROM ts_key k
CROSS JOIN LATERAL (
    SELECT ts, {COLUMNS} FROM ts_kv_all WHERE {_MINE} ORDER BY ts {{order}} LIMIT %(limit)s
) p
WHERE k.name = ANY(%(keys)s) ORDER BY k.name, p.ts {{order}} LIMIT %(most)s
"""

_BUCKETS = f"""
SELECT k.name, b.* FROM ts_key k
CROSS JOIN LATERAL (
    SELECT {{bucket}} AS bucket, {{aggregates}} FROM ts_kv_all WHERE {_MINE} GROUP BY 1
) b
WHERE k.name = ANY(%(keys)s) ORDER BY b.bucket
"""
_EQUAL = "(ts - %(start)s) / %(interval)s"
_CALENDAR = "width_bucket(ts, %(borders)s::bigint[]) - 1"

# By aggregation: what is asked of a bucket. Texts are compared by code point, whatever the database's collation.
_TOTALS = "count(long_v), count(dbl_v), sum(long_v), sum(dbl_v)"
AGGREGATES = {
    Aggregation.COUNT: "count(*)",
    Aggregation.SUM: _TOTALS,
    Aggregation.AVG: _TOTALS,
    Aggregation.MIN: 'min(long_v), min(dbl_v), min(str_v COLLATE "C")',
    Aggregation.MAX: 'max(long_v), max(dbl_v), max(str_v COLLATE "C")',
}


class QueryTooSlow(PlatformError):
    """The database was told to give up: the query took longer than TB_TS_QUERY_SECONDS."""

    status = 503


@dataclass(frozen=True, slots=True)
class HistoryQuery:
    """What is asked of an entity's history; times in ms, [start_ts, end_ts).

    Without aggregation the points themselves: the newest `limit` of each key, or the oldest unless `descending`. With one
    a point for each interval that holds any, in the order of time whatever `descending` says; `limit` does not count
    then. The intervals are `interval_ms` long, or of the calendar in `time_zone`.
    Raises BadRequest with a sentence where it makes no sense, or has more than 700 intervals.
    """

    keys: Sequence[str]
    start_ts: int
    end_ts: int
    interval_ms: int = 0
    agg: Aggregation = Aggregation.NONE
    limit: int = 100
    descending: bool = True
    interval_type: IntervalType = IntervalType.MILLISECONDS
    time_zone: tzinfo = UTC
    borders: list[int] = field(init=False)  # of calendar intervals: where each begins and the last one ends

    def __post_init__(self) -> None:
        object.__setattr__(self, "borders", [])
        if not 1 <= self.limit <= LARGEST_LIMIT:
            raise BadRequest(f"Incorrect limit: {self.limit}; expected 1 to {LARGEST_LIMIT}")
        if self.agg is Aggregation.NONE:
            return
        if self.end_ts < self.start_ts:
            raise BadRequest("Incorrect TsKvQuery. 'endTs' must not be before 'startTs'.")
        if self.interval_type is IntervalType.MILLISECONDS:
            if self.interval_ms < 1:
                raise BadRequest(f"Invalid TsKvQuery: 'interval' must be greater than 0, but got {self.interval_ms}.")
            _refuse_too_many((self.end_ts - self.start_ts) // self.interval_ms)
        elif self.start < self.end:
            borders = calendar_borders(self.interval_type, self.start, self.end, self.time_zone)
            found = list(islice(borders, MOST_INTERVALS + 2))
            _refuse_too_many(len(found) - 1)
            object.__setattr__(self, "borders", found)

    @property
    def start(self) -> int:
        """Where points can begin, in ms."""
        return min(max(self.start_ts, 0), END_OF_TIME_MS)

    @property
    def end(self) -> int:
        """Where points must end, in ms."""
        return min(max(self.end_ts, 0), END_OF_TIME_MS)

    def sql(self) -> str:
        """The statement for `parameters`."""
        if self.agg is Aggregation.NONE:
            return _RAW.format(order="DESC" if self.descending else "ASC")
        return _BUCKETS.format(bucket=_CALENDAR if self.borders else _EQUAL, aggregates=AGGREGATES[self.agg])

    def parameters(self, entity_id: Any) -> dict[str, Any]:
        """The statement's parameters."""
        return {
            "entity": entity_id,
            "keys": list(self.keys),
            "start": self.start,
            "end": self.end,
            "interval": max(self.interval_ms, 1),
            "borders": self.borders,
            "limit": self.limit,
            "most": MOST_POINTS + 1,
        }

    def points(self, rows: Iterable[Sequence[Any]]) -> dict[str, list[Point]]:
        """The statement's rows as points per key; keys without data are absent. Raises BadRequest for too many."""
        found: dict[str, list[Point]] = {}
        if self.agg is Aggregation.NONE:
            for count, (name, ts, *columns) in enumerate(rows):
                if count == MOST_POINTS:
                    raise BadRequest(
                        f"The answer would have more than {MOST_POINTS} points. "
                        "Ask for fewer keys, a shorter range or a limit."
                    )
                found.setdefault(name, []).append(Point(ts, unpack(columns)))
            return found
        value_of = VALUES[self.agg]
        for name, bucket, *aggregates in rows:
            value = value_of(*aggregates)
            if value is not None:
                found.setdefault(name, []).append(Point(self._middle(bucket), value))
        return found

    def _middle(self, bucket: int) -> int:
        """The time stamp of an interval: its middle, the last one being cut at the end."""
        if self.borders:
            begin, end = self.borders[bucket], self.borders[bucket + 1]
        else:
            begin = self.start + bucket * self.interval_ms
            end = min(begin + self.interval_ms, self.end_ts)
        return begin + (end - begin) // 2


def _refuse_too_many(intervals: int) -> None:
    """ThingsBoard's sentence, by which its clients know that they must ask for longer intervals."""
    if intervals > MOST_INTERVALS:
        raise BadRequest(
            f"Incorrect TsKvQuery. Number of intervals is to high - {intervals}. "
            "Please increase 'interval' parameter for your query or reduce the time range of the query."
        )


def _sum(longs: int, doubles: int, whole: Any, fractional: float | None) -> Value | None:
    """A long while every number was one and it has room, else a double."""
    if not doubles:
        total = int(whole) if longs else None
        return total if total is None or INT64_MIN <= total <= INT64_MAX else float(total)
    return float(whole or 0) + float(fractional or 0)


def _average(longs: int, doubles: int, whole: Any, fractional: float | None) -> Value | None:
    """Always a double."""
    return (float(whole or 0) + float(fractional or 0)) / (longs + doubles) if longs or doubles else None


def _extreme(choose: Callable[..., Any]) -> Callable[[int | None, float | None, str | None], Value | None]:
    """MIN or MAX: of the texts if there are any, else of the numbers; a long while every number was one."""

    def extreme(whole: int | None, fractional: float | None, text: str | None) -> Value | None:
        if text is not None:
            return text
        if whole is None or fractional is None:
            return whole if fractional is None else fractional
        return choose(float(whole), fractional)  # type: ignore[no-any-return]

    return extreme


VALUES: dict[Aggregation, Callable[..., Value | None]] = {
    Aggregation.COUNT: int,
    Aggregation.SUM: _sum,
    Aggregation.AVG: _average,
    Aggregation.MIN: _extreme(min),
    Aggregation.MAX: _extreme(max),
}
