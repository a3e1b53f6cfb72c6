"""What nodes look up in the database (rules.node.lookups), always within the tenant of the batch."""

import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, Final

import psycopg
from django.conf import settings
from django.db import transaction
from psycopg import errors

from devices.models import Direction
from devices.services.disclosure import credentials_of_many
from devices.services.relation_walks import Route, nearest_many
from rules.engine.memory import Memory
from rules.engine.values import Values
from rules.node.lookups import Credentials, Sampling, Walk, Window
from telemetry.points import Aggregation, Point, Value
from telemetry.query import HistoryQuery, windows_parameters, windows_points, windows_sql
from telemetry.store.batch import Server
from thingsboard.kernel.entities import registered
from thingsboard.kernel.ids import EntityId, EntityType

# Points that one statement may read: so many are in memory at a time, beside what was made of those before.
MOST_POINTS: Final = 100_000
# By which field somebody is called, where that is not the name.
_NAMES: Final = {EntityType.USER: "email", EntityType.CUSTOMER: "title", EntityType.DASHBOARD: "title"}


class BatchLookups:
    """Implements rules.node.lookups.Lookups for one batch; `here` tells which node is running."""

    def __init__(
        self,
        connection: "psycopg.Connection[Any]",
        server: Server,
        tenant_id: uuid.UUID,
        values: Values,
        memory: Memory,
        here: Callable[[], bytes],
    ) -> None:
        self._connection, self._server, self._tenant_id = connection, server, tenant_id
        self._values, self._memory, self._here = values, memory, here

    def related(self, walk: Walk, entities: Collection[EntityId]) -> Mapping[EntityId, EntityId]:
        """See the protocol."""
        direction, wanted = Direction(walk.direction), [(each.type, each.kinds) for each in walk.wanted]
        route = Route(direction, walk.levels, wanted, walk.last_level_only, walk.profiles)
        return nearest_many(self._connection, self._tenant_id, route, entities)

    def named(self, type: EntityType, names: Collection[str]) -> Mapping[str, EntityId]:
        """See the protocol."""
        door = registered().get(type)
        if door is None or not door.tenant_field:
            return {}
        name = _NAMES.get(type, "name")
        mine = {door.tenant_field: self._tenant_id, f"{name}__in": [each for each in names if "\0" not in each]}
        rows = door.model._default_manager.filter(**mine).values_list(name, "pk")
        return {called: EntityId(type, pk) for called, pk in rows}

    def credentials(self, devices: Collection[EntityId]) -> Mapping[EntityId, Credentials]:
        """See the protocol."""
        ids = {each.id: each for each in devices if each.type is EntityType.DEVICE}
        found = credentials_of_many(self._connection, self._tenant_id, ids)
        return {ids[device]: Credentials(*disclosed) for device, disclosed in found.items()}

    def history(self, windows: Sequence[Window], sampling: Sampling) -> Iterator[Mapping[str, Sequence[Point]]]:
        """See the protocol. What the batch has written so far lies over what is stored; before an aggregation, which the
        database does, it is stored.
        """
        fresh = self._values.unwritten()
        if sampling.agg is not Aggregation.NONE and any(each.entity.id.bytes in fresh for each in windows):
            self._values.flush(self._server)
        each = sampling.limit if sampling.agg is Aggregation.NONE else 1
        start = 0
        while start < len(windows):
            end, points = start + 1, len(windows[start].keys) * each
            while end < len(windows) and (points := points + len(windows[end].keys) * each) <= MOST_POINTS:
                end += 1
            part = windows[start:end]
            stored = self._read([(window.entity.id, _query(window, sampling)) for window in part])
            for window, points in zip(part, stored, strict=True):
                more = fresh.get(window.entity.id.bytes)
                yield _overlaid(window, sampling, points, more) if more else points
            start = end

    def _read(self, asked: Sequence[tuple[uuid.UUID, HistoryQuery]]) -> list[dict[str, list[Point]]]:
        cursor = psycopg.Cursor(self._connection)
        sql, parameters = windows_sql(asked[0][1]).encode(), windows_parameters(asked)
        if asked[0][1].agg is Aggregation.NONE:  # up to a limit, along an index: nothing that takes long
            return windows_points(asked, cursor.execute(sql, parameters).fetchall())
        seconds = settings.TB_TS_QUERY_SECONDS
        try:
            with transaction.atomic():
                timeout = f"{max(round(seconds * 1000), 1)}ms" if seconds else "0"
                cursor.execute("SELECT set_config('statement_timeout', %s, true)", [timeout])
                rows = cursor.execute(sql, parameters).fetchall()
                cursor.execute("SET LOCAL statement_timeout TO DEFAULT")
        except errors.QueryCanceled:
            raise ValueError(f"Reading the history took longer than {seconds:g} s; ask for less of it.") from None
        except errors.NumericValueOutOfRange:
            raise ValueError("The sum of the values is larger than a double can hold.") from None
        return windows_points(asked, rows)

    def remembered(self, purpose: str, entities: Collection[EntityId]) -> Mapping[EntityId, Any]:
        """See the protocol."""
        return self._memory.get((self._here(), purpose), entities)

    def remember(self, purpose: str, entity: EntityId, value: Any) -> None:
        """See the protocol."""
        self._memory.put((self._here(), purpose), entity, value)


def _query(window: Window, sampling: Sampling) -> HistoryQuery:
    """A window as it is asked of the store. An aggregation is over the whole of it."""
    keys = [key for key in window.keys if "\0" not in key]
    length = window.end_ts - window.start_ts
    return HistoryQuery(
        keys, window.start_ts, window.end_ts, length, sampling.agg, sampling.limit, descending=sampling.descending
    )


def _overlaid(
    window: Window,
    sampling: Sampling,
    stored: Mapping[str, Sequence[Point]],
    fresh: Mapping[str, Mapping[int, Value]],
) -> dict[str, list[Point]]:
    """The points of a window with those that are not stored yet."""
    found = {}
    for key in window.keys:
        more = fresh.get(key, {})
        by_time = dict(stored.get(key, ()))
        by_time.update((ts, value) for ts, value in more.items() if window.start_ts <= ts < window.end_ts)
        if by_time:
            times = sorted(by_time, reverse=sampling.descending)[: sampling.limit]
            found[key] = [Point(ts, by_time[ts]) for ts in times]
    return found
