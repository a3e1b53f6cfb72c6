"""Reading history: which intervals, which aggregate (compat/data_model.md 8, "Aggregation buckets")."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from telemetry.points import END_OF_TIME_MS, Aggregation, Point
from telemetry.store.rows import unpack
from thingsboard.kernel.errors import BadRequest

MOST_INTERVALS = 700
LARGEST_LIMIT = 1_000_000  # per key
MOST_POINTS = 1_000_000  # in one answer

_BY_ORDER = {True: "DESC", False: "ASC"}
_COLUMNS = "bool_v, long_v, dbl_v, str_v, json_v"

# `LIMIT` per key: a device's keys are independent series, so each is read by its own index range.
_RAW = f"""
SELECT k.name, p.ts, {_COLUMNS} FROM ts_key k
CROSS JOIN LATERAL (
    SELECT ts, {_COLUMNS} FROM ts_kv_all
    WHERE entity_id = %(entity)s AND key_id = k.id AND ts >= %(start)s AND ts < %(end)s
    ORDER BY ts {{order}} LIMIT %(limit)s
) p
WHERE k.name = ANY(%(keys)s) ORDER BY k.name, p.ts {{order}} LIMIT %(most)s
"""

_NUMBER = "COALESCE(dbl_v, long_v::double precision)"
_BUCKETS = f"""
SELECT k.name, (p.ts - %(start)s) / %(interval)s AS bucket, count(*),
    count(long_v), count(dbl_v), count(str_v),
    min(long_v), max(long_v), sum(long_v), min({_NUMBER}), max({_NUMBER}), sum({_NUMBER}), min(str_v), max(str_v)
FROM ts_key k JOIN ts_kv_all p ON p.key_id = k.id
WHERE k.name = ANY(%(keys)s) AND p.entity_id = %(entity)s AND p.ts >= %(start)s AND p.ts < %(end)s
GROUP BY k.name, bucket ORDER BY bucket {{order}}
"""


@dataclass(frozen=True, slots=True)
class HistoryQuery:
    """What is asked of an entity's history; times in ms, [start_ts, end_ts), `limit` per key and for agg NONE only.

    Raises BadRequest with a sentence where it makes no sense.
    """

    keys: Sequence[str]
    start_ts: int
    end_ts: int
    interval_ms: int = 0
    agg: Aggregation = Aggregation.NONE
    limit: int = 100
    descending: bool = True
    order: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "order", _BY_ORDER[self.descending])
        if not 1 <= self.limit <= LARGEST_LIMIT:
            raise BadRequest(f"Incorrect limit: {self.limit}; expected 1 to {LARGEST_LIMIT}")
        if self.agg is not Aggregation.NONE:
            if self.interval_ms < 0:
                raise BadRequest("Incorrect interval: expected milliseconds, or 0 for one interval")
            if self.end_ts > self.start_ts and self._intervals() > MOST_INTERVALS:
                raise BadRequest(
                    f"Too many intervals: {self._intervals()}; at most {MOST_INTERVALS}. Ask for a longer interval."
                )

    def _intervals(self) -> int:
        return -(-(self.end_ts - self.start_ts) // self.interval) if self.interval else 0

    @property
    def interval(self) -> int:
        """The bucket's length in ms; without one the whole range is a single bucket."""
        return self.interval_ms or max(self.end_ts - self.start_ts, 1)

    def sql(self) -> str:
        """The statement, with parameters entity, keys, start, end, interval, limit."""
        template = _RAW if self.agg is Aggregation.NONE else _BUCKETS
        return template.format(order=self.order)

    def parameters(self, entity_id: Any) -> dict[str, Any]:
        """The statement's parameters."""
        start, end = (min(max(ts, 0), END_OF_TIME_MS) for ts in (self.start_ts, self.end_ts))
        return {
            "entity": entity_id,
            "keys": list(self.keys),
            "start": start,
            "end": end,
            "interval": self.interval,
            "limit": self.limit,
            "most": MOST_POINTS + 1,
        }

    def points(self, rows: Sequence[Sequence[Any]]) -> dict[str, list[Point]]:
        """The statement's rows as points per key; keys without data are absent. Raises BadRequest for too many."""
        found: dict[str, list[Point]] = {}
        if self.agg is Aggregation.NONE:
            if len(rows) > MOST_POINTS:
                raise BadRequest(
                    f"The answer would have more than {MOST_POINTS} points. Ask for fewer keys, a shorter range or a limit."
                )
            for name, ts, *columns in rows:
                found.setdefault(name, []).append(Point(ts, unpack(columns)))
            return found
        start, end = max(self.start_ts, 0), min(self.end_ts, END_OF_TIME_MS)
        for name, bucket, *counts in rows:
            begin = start + bucket * self.interval
            middle = begin + (min(begin + self.interval, end) - begin) // 2
            value = _aggregate(self.agg, counts)
            if value is not None:
                found.setdefault(name, []).append(Point(middle, value))
        return found


def _aggregate(agg: Aggregation, row: Sequence[Any]) -> int | float | str | None:
    """One bucket's value: COUNT long, AVG double, the others long while every number was one; MIN and MAX also of
    text.
    """
    count, longs, doubles, texts, min_long, max_long, sum_long, low, high, total, min_text, max_text = row
    if agg is Aggregation.COUNT:
        return int(count)
    numbers = longs + doubles
    if numbers:
        whole = doubles == 0
        match agg:
            case Aggregation.MIN:
                return int(min_long) if whole else float(low)
            case Aggregation.MAX:
                return int(max_long) if whole else float(high)
            case Aggregation.SUM:
                return int(sum_long) if whole else float(total)
            case _:
                return float(total / numbers)
    if texts and agg in {Aggregation.MIN, Aggregation.MAX}:
        return str(min_text if agg is Aggregation.MIN else max_text)
    return None
