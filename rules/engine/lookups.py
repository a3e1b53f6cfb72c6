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
from telemetry.windows import SeriesWindow, Windows
from thingsboard.kernel.entities import registered
from thingsboard.kernel.ids import EntityId, EntityType

# Points that one statement may read: so many are in memory at a time, beside what was made of those before.
MOST_POINTS: Final = 100_000
LONGEST_S: Final = 5.0  # of an aggregation: a lane waits for it
_BOUND: Final = "SELECT set_config('statement_timeout', %s, true)"
# By which field somebody is called, where that is not the name.
_NAMES: Final = {EntityType.USER: "email", EntityType.CUSTOMER: "title", EntityType.DASHBOARD: "title"}


class BatchLookups:
    """Implements rules.node.lookups.Lookups for one batch; `values` has what it writes, `here` tells which node is running."""

    def __init__(
        self,
        connection: "psycopg.Connection[Any]",
        tenant_id: uuid.UUID,
        values: Callable[[], Values],
        memory: Memory,
        here: Callable[[], bytes],
    ) -> None:
        self._connection, self._tenant_id = connection, tenant_id
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
        """See the protocol. What the batch has written so far lies over what is stored."""
        each = sampling.limit if sampling.agg is Aggregation.NONE else 1
        start = 0
        while start < len(windows):
            end, points = start + 1, len(windows[start].keys) * each
            while end < len(windows) and (points := points + len(windows[end].keys) * each) <= MOST_POINTS:
                end += 1
            yield from self._read(windows[start:end], sampling)
            start = end

    def _read(self, windows: Sequence[Window], sampling: Sampling) -> list[dict[str, list[Point]]]:
        fresh = self._values().unwritten()
        series: list[SeriesWindow] = []
        over: list[Mapping[int, Value]] = []
        for window in windows:
            entity = window.entity.id
            for key in window.keys:
                # No series is called by a text that the database cannot hold, and none by an empty one.
                name = "" if "\0" in key else key
                series.append(SeriesWindow(entity, name, window.start_ts, window.end_ts))
                over.append(fresh.get(entity.bytes, {}).get(key, {}))
        found = iter(self._points(series, over, sampling))
        return [{key: points for key in window.keys if (points := next(found))} for window in windows]

    def _points(
        self, series: Sequence[SeriesWindow], over: Sequence[Mapping[int, Value]], sampling: Sampling
    ) -> list[list[Point]]:
        """Of each series."""
        asked = Windows(series, sampling.limit, descending=sampling.descending, agg=sampling.agg, fresh=over)
        cursor = psycopg.Cursor(self._connection)
        sql, parameters = asked.sql().encode(), asked.parameters()
        if sampling.agg is Aggregation.NONE:  # up to a limit, along an index: nothing that takes long
            return asked.points(cursor.execute(sql, parameters))
        seconds = min(LONGEST_S, settings.TB_TS_QUERY_SECONDS)
        try:
            with transaction.atomic():
                before = cursor.execute("SELECT current_setting('statement_timeout')").fetchone() or ("0",)
                cursor.execute(_BOUND, [f"{max(round(seconds * 1000), 1)}ms"])
                rows = cursor.execute(sql, parameters).fetchall()
                cursor.execute(_BOUND, before)
        except errors.QueryCanceled:
            raise ValueError(f"Reading the history took longer than {seconds:g} s; ask for less of it.") from None
        except errors.NumericValueOutOfRange:
            raise ValueError("The sum of the values is larger than a double can hold.") from None
        return asked.points(rows)

    def remembered(self, purpose: str, entities: Collection[EntityId]) -> Mapping[EntityId, Any]:
        """See the protocol."""
        return self._memory.get((self._here(), purpose), entities)

    def remember(self, purpose: str, entity: EntityId, value: Any) -> None:
        """See the protocol."""
        self._memory.put((self._here(), purpose), entity, value)
