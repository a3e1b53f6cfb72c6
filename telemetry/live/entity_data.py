"""The subscription of ENTITY_DATA: a page of entities, their latest values, their points (compat/websocket.md 5)."""

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from telemetry.fanout import SERIES
from telemetry.live import entity_query, reads
from telemetry.live.commands import Command, flag, text, whole
from telemetry.live.conflation import GONE, Appended, Gap, Newest, Sample
from telemetry.live.entity_query import FIELD, SCOPES, SERIES_KEY, Key, Page, Query, Row
from telemetry.live.frames import Fault, entity_frame, entity_json, error_frame
from telemetry.live.subscriptions import WITHDRAWN, Subscription, Texts
from thingsboard.kernel.errors import BadRequest
from thingsboard.kernel.ids import EntityId

Latest = dict[tuple[bytes, Key], Sample]
Series = dict[tuple[bytes, str], list[Sample]]


@dataclass(frozen=True, slots=True)
class EntityDataCommand:
    """One ENTITY_DATA command; what is None was not asked for."""

    query: Query | None
    history: reads.Window | None
    latest: tuple[Key, ...] | None
    series: reads.Window | None


@dataclass(frozen=True, slots=True)
class Found:
    """What was read: history of the page, latest values, and points that were missed."""

    page: Page
    latest: Latest
    series: Series


def command_of(command: Command, user: Any) -> EntityDataCommand:
    """The command closer. Raises BadRequest."""
    body = command.body
    for name in ("aggHistoryCmd", "aggTsCmd"):
        if body.get(name):
            raise BadRequest(f"'{name}' is not available yet")
    latest = body.get("latestCmd")
    if not (latest is None or isinstance(latest, dict)):
        raise BadRequest("Expected 'latestCmd' as an object")
    found = EntityDataCommand(
        None if body.get("query") is None else entity_query.query_of(body["query"], user),
        _window(body.get("historyCmd"), "historyCmd"),
        None if latest is None else entity_query.keys_of(latest.get("keys")),
        _window(body.get("tsCmd"), "tsCmd"),
    )
    if found == EntityDataCommand(None, None, None, None):
        raise BadRequest("Query is empty!")
    return found


def _window(body: Any, name: str) -> reads.Window | None:
    """A tsCmd or historyCmd. Raises BadRequest."""
    if body is None:
        return None
    if not isinstance(body, dict):
        raise BadRequest(f"Expected '{name}' as an object")
    keys = body.get("keys")
    if not isinstance(keys, list) or not keys or len(keys) > entity_query.MOST_KEYS:
        raise BadRequest(f"Expected the 'keys' of '{name}' as an array of 1 to {entity_query.MOST_KEYS} names")
    if not all(isinstance(each, str) for each in keys):
        raise BadRequest(f"Expected the 'keys' of '{name}' as names")
    start = whole(body, "startTs")
    end = whole(body, "endTs") if name == "historyCmd" else start + whole(body, "timeWindow")
    return reads.window(
        list(dict.fromkeys(keys)),
        start,
        end,
        interval=whole(body, "interval"),
        limit=whole(body, "limit"),
        agg=text(body, "agg"),
        calendar=(text(body, "intervalType"), text(body, "timeZoneId")),
        previous=flag(body, "fetchLatestPreviousPoint"),
    )


def history_of(page: Page, window: reads.Window) -> Series:
    """The points of a window of every entity of the page. In a database thread."""
    found: Series = {}
    for row in page.rows:
        of_one = reads.history(row.entity.id, window)
        found |= {(row.entity.id.bytes, key): samples for key, samples in of_one.items()}
    return found


class EntityDataSubscription(Subscription):
    """A page of entities. Made by its first query; later commands change what of it is watched."""

    def __init__(self, cmd_id: int, query: Query) -> None:
        super().__init__(cmd_id)
        self.query = query
        self.latest_keys: tuple[Key, ...] = query.latest  # shown
        self.page = Page((), 0)
        self._watched: dict[int, dict[str, list[Key]]] = {}  # by scope: which keys a change of a name is a change of
        self._by_id: dict[bytes, EntityId] = {}
        self._registered: dict[bytes, EntityId] = {}  # with the hub: never less than what is shown
        self._series: frozenset[str] = frozenset()
        self._values: Newest[tuple[bytes, Key]] = Newest()
        self._points: Appended[tuple[bytes, str]] = Appended(settings.TB_WS_MAX_POINTS, 0)
        self._new_page = False
        self._withdrawn: set[uuid.UUID] = set()

    def entities(self) -> Collection[EntityId]:
        """Those of the page, also such as were found to be gone and not withdrawn yet."""
        return list(self._registered.values())

    def show(self, page: Page) -> None:
        """These are its entities, save those that were withdrawn while they were read."""
        rows = [row for row in page.rows if row.entity.id not in self._withdrawn]
        self.page = page if len(rows) == len(page.rows) else Page(rows, page.total - len(page.rows) + len(rows))
        self._by_id = {row.entity.id.bytes: row.entity for row in self.page.rows}
        self._registered |= self._by_id

    def watch_latest(self, keys: Iterable[Key]) -> None:
        """Tell of changes of these keys from now on, instead of those before."""
        self._watched = {}
        self.latest_keys = tuple(dict.fromkeys([*self.latest_keys, *keys]))
        for kind, name in keys:
            for scope in (SERIES,) if kind == SERIES_KEY else map(int, SCOPES.get(kind, ())):
                self._watched.setdefault(scope, {}).setdefault(name, []).append((kind, name))
        # Else a comparison with the store would find that those of before are gone.
        watched = {key for names in self._watched.values() for found in names.values() for key in found}
        self._values.drop(lambda each: each[1] not in watched)

    def watch_series(self, window: reads.Window) -> None:
        """Tell of the points of its keys from now on, instead of those before."""
        self._series = frozenset(window.keys)
        self._points = Appended(settings.TB_WS_MAX_POINTS, window.since)

    def changed(self, entity: bytes, scope: int, ts: int, values: Texts) -> bool:
        """Of an entity of the page: its latest values, its points, or both."""
        if entity not in self._by_id:
            return False
        watched = self._watched.get(scope) or {}
        for name, value in values.items():
            for key in watched.get(name, ()):
                if value is None:
                    self._values.forget((entity, key))
                    self.stale = True
                else:
                    self._values.offer((entity, key), Sample(ts, value))
            if scope == SERIES and ts and name in self._series:
                self._points.offer((entity, name), ts, value)
        self.stale = self.stale or self._points.incomplete
        return self.stale or bool(self._values) or bool(self._points)

    def missed(self) -> None:
        """Values are compared, and everything after the last point that was sent is read."""
        if self._series:
            self._points.missed()
        self.stale = True

    def take(self) -> str | None:
        """An update of what changed."""
        return self._update(self._values.take(), self._points.take())

    def question(self) -> Gap | None:
        """The range of points that is to be read; what comes from now on is kept again."""
        return self._points.question()

    def read(self, user: Any, question: Gap | None) -> Found:
        """The page as the user sees it now, its latest values, and what was missed of its points."""
        ids = [row.entity.id for row in self.page.rows]
        visible = reads.visible_ids(self.query.kind, ids, user)
        rows = [row for row in self.page.rows if row.entity.id in visible]
        page = self.page if len(rows) == len(ids) else Page(rows, self.page.total - len(ids) + len(rows))
        ids = [row.entity.id for row in rows]
        series: Series = {}
        if question is not None:
            for each in ids:
                last = {key: ts for (entity, key), ts in question.last.items() if entity == each.bytes}
                found = reads.missed(each, self._series, question, last)
                series |= {(each.bytes, key): points for key, points in found.items()}
        return Found(page, entity_query.values_of(ids, self.latest_keys), series)

    def begin(self, found: Found, series: Series | None = None, keys: Sequence[str] = ()) -> str:
        """The page with its values, and with the points of these keys where some were asked for."""
        self.show(found.page)
        self._values.begin(self._complete(found.latest))
        return self._page_frame(found.latest, series or {}, keys)

    def catch_up(self, found: Found, question: Gap | None) -> str | None:
        """An update of what differs; the whole page where it has become another one."""
        if len(found.page.rows) < len(self.page.rows) or self._new_page:
            self._new_page = False
            return self.begin(found)
        news = self._values.differ(self._complete(found.latest))
        return self._update(news, self._points.fill(found.series))

    def withdraw(self, gone: Collection[uuid.UUID]) -> tuple[bool, str | None]:
        """Those that are left go on; what is shown is a new page."""
        self._withdrawn.update(gone)
        self.show(self.page)
        self._registered = {key: entity for key, entity in self._registered.items() if entity.id not in gone}
        self._values.drop(lambda key: key[0] not in self._by_id)
        self._points.drop(lambda key: key[0] not in self._by_id)
        if not self.page.rows:
            return False, error_frame(self.cmd_id, Fault.UNAUTHORIZED, WITHDRAWN)
        self._new_page = self.stale = True
        return True, None

    def begin_series(self, window: reads.Window, series: Series) -> None:
        """These points are being shown; what came meanwhile and is not among them follows."""
        if window.raw:
            self._points.begin(series)

    def _page_frame(self, latest: Latest, series: Series, keys: Sequence[str]) -> str:
        """`data`: the whole page."""
        data = [
            entity_json(
                row.entity,
                latest=self._latest_of(row, latest),
                series={key: series.get((row.entity.id.bytes, key), []) for key in keys},
                aggregates={},
            )
            for row in self.page.rows
        ]
        size = self.query.page_size
        total = self.page.total
        return entity_frame(
            self.cmd_id,
            data={
                "data": data,
                "totalPages": -(-total // size),
                "totalElements": total,
                "hasNext": (self.query.page + 1) * size < total,
            },
        )

    def series_frame(self, keys: Sequence[str], series: Series) -> str:
        """`update`: the points of every entity, an empty array for a key that has none."""
        return entity_frame(
            self.cmd_id,
            update=[
                entity_json(row.entity, series={key: series.get((row.entity.id.bytes, key), []) for key in keys})
                for row in self.page.rows
            ],
        )

    def latest_frame(self, keys: Iterable[Key], latest: Latest) -> str:
        """`update`: the values of these keys."""
        return entity_frame(
            self.cmd_id,
            update=[
                entity_json(
                    row.entity, latest=_by_type({key: latest.get((row.entity.id.bytes, key), GONE) for key in keys})
                )
                for row in self.page.rows
            ],
        )

    def _complete(self, latest: Latest) -> Latest:
        """With an empty value for every watched key that has none."""
        keys = {key for names in self._watched.values() for found in names.values() for key in found}
        return {(entity, key): latest.get((entity, key), GONE) for entity in self._by_id for key in keys}

    def _latest_of(self, row: Row, latest: Latest) -> Mapping[str, Mapping[str, Sample]]:
        shown = {(FIELD, name): sample for name, sample in row.fields.items()}
        shown |= {key: latest.get((row.entity.id.bytes, key), GONE) for key in self.latest_keys if key[0] != FIELD}
        return _by_type(shown)

    def _update(self, values: Mapping[tuple[bytes, Key], Sample], points: Series) -> str | None:
        by_entity: dict[bytes, dict[Key, Sample]] = {}
        for (entity, key), sample in values.items():
            by_entity.setdefault(entity, {})[key] = sample
        shown = self._by_id
        update = [
            entity_json(shown[each], latest=_by_type(found)) for each, found in by_entity.items() if each in shown
        ]
        gathered: dict[bytes, dict[str, list[Sample]]] = {}
        for (entity, name), samples in points.items():
            gathered.setdefault(entity, {})[name] = samples
        update += [entity_json(shown[each], series=found) for each, found in gathered.items() if each in shown]
        return entity_frame(self.cmd_id, update=update) if update else None


def _by_type(values: Mapping[Key, Sample]) -> dict[str, dict[str, Sample]]:
    found: dict[str, dict[str, Sample]] = {}
    for (kind, name), sample in values.items():
        found.setdefault(kind, {})[name] = sample
    return found
