"""What subscriptions read of the store: latest values and attributes of many entities, and ranges of history.

Called in a database thread. Whether the user may see the entities is asked here as well, just before their values are read.
"""

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Model

from telemetry import services
from telemetry.intervals import IntervalType, zone
from telemetry.live.conflation import Gap, Sample
from telemetry.points import END_OF_TIME_MS, Aggregation, Point
from telemetry.query import HistoryQuery
from telemetry.store.rows import unpack
from telemetry.text import text
from thingsboard.kernel.entities import registered, visible
from thingsboard.kernel.errors import BadRequest
from thingsboard.kernel.ids import EntityId, EntityType
from thingsboard.kernel.time import now_ms

LARGEST_LIMIT = 50_000  # points of a series in one answer
YEAR_MS = 365 * 86_400_000
MOST_KEYS = 1000  # whose points are read after news were lost

_COLUMNS = "bool_v, long_v, dbl_v, str_v, json_v"
_LATEST = (
    f"SELECT l.entity_id, k.name, l.ts, {_COLUMNS} FROM ts_latest l JOIN ts_key k ON k.id = l.key_id "
    "WHERE l.entity_id = ANY(%s) AND (%s::text[] IS NULL OR k.name = ANY(%s)) ORDER BY l.entity_id, k.name"
)
_ATTRIBUTES = (
    f"SELECT a.entity_id, a.scope, k.name, a.last_update_ts, {_COLUMNS} FROM attribute_kv a "
    "JOIN ts_key k ON k.id = a.key_id WHERE a.entity_id = ANY(%s) AND a.scope = ANY(%s) "
    "AND (%s::text[] IS NULL OR k.name = ANY(%s)) ORDER BY a.entity_id, k.name, a.last_update_ts"
)


@dataclass(frozen=True, slots=True)
class Window:
    """What a command asks of history; times in ms. `previous`: with the last point of the year before the start."""

    keys: Sequence[str]
    query: HistoryQuery
    previous: bool = False

    @property
    def raw(self) -> bool:
        """Whether it is about the points themselves."""
        return self.query.agg is Aggregation.NONE

    @property
    def since(self) -> int:
        """From when points are news for who was shown it (ms). What an aggregate holds cannot be told from it: from now."""
        return self.query.start_ts if self.raw else now_ms()


def require_visible(entity: EntityId, user: Any) -> Model:
    """The entity's object. Raises NotFound for what the user may not see."""
    return visible(entity, user)


def visible_objects(kind: EntityType, ids: Collection[uuid.UUID], user: Any) -> list[Any]:
    """Those of the entities that the user may see; none of a kind that nobody registered."""
    door = registered().get(kind)
    if door is None:
        return []
    rows: Any = door.model._default_manager.all()
    return list(rows.visible_to(user).filter(pk__in=list(ids)))


def visible_ids(kind: EntityType, ids: Collection[uuid.UUID], user: Any) -> set[uuid.UUID]:
    """The ids of those that the user may see."""
    door = registered().get(kind)
    if door is None:
        return set()
    rows: Any = door.model._default_manager.all()
    return set(rows.visible_to(user).filter(pk__in=list(ids)).values_list("pk", flat=True))


def latest(entities: Collection[uuid.UUID], keys: Collection[str] | None) -> dict[tuple[bytes, str], Sample]:
    """The newest point of each series, by entity and key; None: of all keys."""
    named = None if keys is None else list(keys)
    rows = _rows(_LATEST, [list(entities), named, named])
    return {(entity.bytes, name): Sample(ts, text(unpack(value)) or "") for entity, name, ts, *value in rows}


def attributes(
    entities: Collection[uuid.UUID], scopes: Iterable[int], keys: Collection[str] | None
) -> dict[tuple[bytes, int, str], Sample]:
    """Attributes with the times of their last change, by entity, scope and key; None: all keys."""
    named = None if keys is None else list(keys)
    rows = _rows(_ATTRIBUTES, [list(entities), list(scopes), named, named])
    return {
        (entity.bytes, scope, name): Sample(ts, text(unpack(value)) or "") for entity, scope, name, ts, *value in rows
    }


def history(entity: uuid.UUID, window: Window) -> dict[str, list[Sample]]:
    """The points of a window in ThingsBoard's order; keys without data are absent. Raises BadRequest, QueryTooSlow."""
    found = {key: _samples(points) for key, points in services.history(entity, window.query).items()}
    if window.previous:
        start = window.query.start_ts
        before = HistoryQuery(keys=window.keys, start_ts=start - YEAR_MS, end_ts=start, limit=1)
        for key, points in services.history(entity, before).items():
            found[key] = sorted([*found.get(key, []), *_samples(points)], reverse=True)
        for samples in found.values():
            samples.sort(reverse=True)
    return found


def missed(
    entity: uuid.UUID, keys: Collection[str] | None, gap: Gap, last: Mapping[str, int]
) -> dict[str, list[Sample]]:
    """The points whose news did not arrive, the newest LARGEST_LIMIT of each key; `last` is when its last one was (ms)."""
    names = services.timeseries_keys(entity)[:MOST_KEYS] if keys is None else list(keys)
    found: dict[str, set[Sample]] = {}

    def read(some: list[str], low: int, high: int) -> None:
        if some:
            query = HistoryQuery(keys=some, start_ts=low, end_ts=high + 1, limit=LARGEST_LIMIT)
            for key, points in services.history(entity, query).items():
                after = last.get(key, -1) if high == END_OF_TIME_MS else -1
                found.setdefault(key, set()).update(each for each in _samples(points) if each.ts > after)

    if gap.low <= gap.high:
        read(names, gap.low, gap.high)
    if gap.lost:
        known = [name for name in names if name in last]
        read(known, min([last[name] for name in known], default=0), END_OF_TIME_MS)
        read([name for name in names if name not in last], gap.since, END_OF_TIME_MS)
    return {key: sorted(samples) for key, samples in found.items() if samples}


def window(
    keys: Sequence[str],
    start: int,
    end: int,
    *,
    interval: int = 0,
    limit: int = 0,
    agg: str = "",
    calendar: tuple[str, str] = ("", ""),
    previous: bool = False,
) -> Window:
    """A window from what a client says: limit 0 is 100, `calendar` is the type of its intervals and their time zone.

    Raises BadRequest.
    """
    kinds = {each.value: each for each in Aggregation}
    intervals = {each.value: each for each in IntervalType}
    if (agg or "NONE") not in kinds:
        raise BadRequest(f"Unknown agg '{agg[:40]}'; expected one of {', '.join(kinds)}")
    if (calendar[0] or "MILLISECONDS") not in intervals:
        raise BadRequest(f"Unknown intervalType '{calendar[0][:40]}'; expected one of {', '.join(intervals)}")
    try:
        where = zone(calendar[1])
    except ValueError as error:
        raise BadRequest(str(error)) from None
    query = HistoryQuery(
        keys=keys,
        start_ts=start,
        end_ts=end,
        interval_ms=interval,
        agg=kinds[agg or "NONE"],
        limit=min(limit, LARGEST_LIMIT) if limit > 0 else 100,
        interval_type=intervals[calendar[0] or "MILLISECONDS"],
        time_zone=where,
    )
    return Window(keys, query, previous)


def _samples(points: Iterable[Point]) -> list[Sample]:
    return [Sample(point.ts, text(point.value) or "") for point in points]


def _rows(sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
