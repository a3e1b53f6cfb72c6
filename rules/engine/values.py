"""The values that a batch reads and writes: what is stored, under what its nodes have written so far."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import psycopg
from django.conf import settings

from telemetry import keys
from telemetry.fanout import News
from telemetry.points import Attribute, Point, Reading, Scope, Value
from telemetry.store.batch import Server, Write, gather, send
from telemetry.store.connect import connect
from telemetry.store.maintenance import WINDOW_LOCK
from telemetry.store.rows import unpack
from thingsboard.kernel.ids import EntityId

Connection = psycopg.Connection[Any]

_COLUMNS = "bool_v, long_v, dbl_v, str_v, json_v"
_ATTRIBUTES = (
    f"SELECT a.entity_id, k.name, a.last_update_ts, {_COLUMNS} FROM attribute_kv a "  # noqa: S608
    "JOIN ts_key k ON k.id = a.key_id WHERE a.entity_id = ANY(%s) AND a.scope = %s AND k.name = ANY(%s)"
)
_LATEST = (
    f"SELECT l.entity_id, k.name, l.ts, {_COLUMNS} FROM ts_latest l "  # noqa: S608
    "JOIN ts_key k ON k.id = l.key_id WHERE l.entity_id = ANY(%s) AND k.name = ANY(%s)"
)

_REMOVE = (
    "DELETE FROM attribute_kv a USING ts_key k, unnest(%s::uuid[], %s::int[], %s::text[]) AS gone(entity, scope, name) "
    "WHERE k.name = gone.name AND a.key_id = k.id AND a.scope = gone.scope AND a.entity_id = gone.entity RETURNING 1"
)


class KeyNumbers:
    """The numbers of a tenant's keys; new ones are committed on a connection of its own. Of one thread."""

    def __init__(self) -> None:
        self._side: Connection | None = None

    def of(self, tenant: bytes, names: Collection[str]) -> Mapping[str, int]:
        """The numbers of at least these keys. Raises ValueError where one cannot be a key or none are left."""
        known = keys.cache.of(tenant)
        if known.keys() >= set(names):
            return known
        missing = set(names) - known.keys()
        try:
            found = keys.resolve(self._connection(), tenant, missing, settings.TB_MAX_KEYS_PER_TENANT)
        except keys.KeyLimit as error:
            raise ValueError(str(error)) from None
        except psycopg.OperationalError:
            self.close()
            raise
        return {**known, **found}

    def close(self) -> None:
        """Let the connection go."""
        if self._side is not None:
            self._side.close()
            self._side = None

    def _connection(self) -> Connection:
        if self._side is None or self._side.closed:
            self._side = connect("thingsboard rules keys")
        return self._side


# An attribute: entity (16 bytes), scope, name.
Named = tuple[bytes, int, str]


class Pending(NamedTuple):
    """Something to be written, and to which of history (or attributes), latest values and live subscriptions; or attributes
    to be removed.
    """

    write: Write
    history: bool = True
    latest: bool = True
    live: bool = True
    removed: tuple[Named, ...] = ()


class Values:
    """Of one batch of one tenant, on its connection."""

    def __init__(self, connection: Connection, tenant: bytes, numbers: KeyNumbers) -> None:
        self.pending: list[Pending] = []
        self._connection, self._tenant, self._numbers = connection, tenant, numbers
        self._ids: Mapping[str, int] = keys.cache.of(tenant)
        # What was read, and what of `pending` is in there already.
        self._points: dict[tuple[bytes, str], Point | None] = {}
        self._attributes: dict[tuple[bytes, int, str], Attribute | None] = {}
        self._merged = 0
        self._flushed = 0  # of `pending`
        self._unwritten: dict[bytes, dict[str, dict[int, Value]]] = {}
        self._listed = 0  # of `pending`, in there

    def save_points(
        self,
        entity: bytes,
        readings: Sequence[Reading],
        *,
        history: bool = True,
        latest: bool = True,
        live: bool = True,
    ) -> None:
        """To those that are wanted of history, latest and live. Raises ValueError for keys that cannot be."""
        for _, values in readings:
            self._know(values)
        write = Write(self._tenant, [(entity, ts, values) for ts, values in readings])
        self.pending.append(Pending(write, history, latest, live))

    def save_attributes(
        self, entity: bytes, scope: Scope, ts: int, values: dict[str, Value], *, store: bool = True, live: bool = True
    ) -> None:
        """Attributes of one entity. Raises ValueError for keys that cannot be."""
        self._know(values)
        write = Write(self._tenant, (), [(entity, int(scope), ts, values)])
        self.pending.append(Pending(write, store, store, live))

    def delete_attributes(self, entity: bytes, scope: Scope, names: Collection[str]) -> None:
        """Remove attributes of one entity; what is written later comes after it."""
        removed = tuple((entity, int(scope), name) for name in names)
        self.pending.append(Pending(Write(self._tenant, ()), removed=removed))

    def settle_attributes(self, entity: EntityId, server: Server) -> None:
        """Somebody else is about to read and write attributes of the entity in this transaction: what was written so far must
        be there, and what was read is read anew.
        """
        known = entity.id.bytes
        fresh = self.pending[self._flushed :]
        if any(key == known for each in fresh for key, *_ in (*each.write.attributes, *each.removed)):
            self.flush(server)
        for key in [key for key in self._attributes if key[0] == known]:
            del self._attributes[key]

    def _know(self, values: Mapping[str, Value]) -> None:
        if not values.keys() <= self._ids.keys():
            self._ids = self._numbers.of(self._tenant, values.keys())

    def attributes(
        self, scope: Scope, names: Collection[str], entities: Collection[EntityId]
    ) -> dict[EntityId, dict[str, Attribute]]:
        """What is there now, in the eyes of the batch."""
        number = int(scope)
        wanted = [
            each.id for each in entities if any((each.id.bytes, number, name) not in self._attributes for name in names)
        ]
        if wanted:
            self._merged = min(self._merged, self._flushed)  # what is read now lies under what was written since
            for each in wanted:
                for name in names:
                    self._attributes.setdefault((each.bytes, number, name), None)
            for entity, name, ts, *columns in self._rows(_ATTRIBUTES, [wanted, number, _storable(names)]):
                self._attributes[entity.bytes, number, name] = Attribute(name, scope, unpack(columns), ts)
        self._merge()
        return {
            each: {
                name: found for name in names if (found := self._attributes[each.id.bytes, number, name]) is not None
            }
            for each in entities
        }

    def latest(self, names: Collection[str], entities: Collection[EntityId]) -> dict[EntityId, dict[str, Point]]:
        """What is there now, in the eyes of the batch."""
        wanted = [each.id for each in entities if any((each.id.bytes, name) not in self._points for name in names)]
        if wanted:
            self._merged = min(self._merged, self._flushed)
            for each in wanted:
                for name in names:
                    self._points.setdefault((each.bytes, name), None)
            for entity, name, ts, *columns in self._rows(_LATEST, [wanted, _storable(names)]):
                self._points[entity.bytes, name] = Point(ts, unpack(columns))
        self._merge()
        return {
            each: {name: found for name in names if (found := self._points[each.id.bytes, name]) is not None}
            for each in entities
        }

    def _merge(self) -> None:
        """Lay what was written over what was read."""
        points, attributes = self._points, self._attributes
        for write, history, latest, _, removed in self.pending[self._merged :]:
            for entity, ts, values in write.series if latest else ():
                for name, value in values.items():
                    key = (entity, name)
                    if key in points and ((known := points[key]) is None or known.ts <= ts):
                        points[key] = Point(ts, value)
            for entity, scope, ts, values in write.attributes if history else ():
                for name, value in values.items():
                    if (entity, scope, name) in attributes:
                        attributes[entity, scope, name] = Attribute(name, Scope(scope), value, ts)
            for gone in removed:
                if gone in attributes:
                    attributes[gone] = None
        self._merged = len(self.pending)

    def _rows(self, sql: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
        return psycopg.Cursor(self._connection).execute(sql, parameters).fetchall()

    def live(self) -> list[Write]:
        """What live subscriptions are to be told, once it is committed."""
        return [each.write for each in self.pending if each.live and not each.removed]

    def gone(self) -> list[News]:
        """The attributes that were removed, of which they are told after that."""
        return [News(entity, scope, 0, {name: None}) for each in self.pending for entity, scope, name in each.removed]

    def forget(self, mark: int | None = None) -> None:
        """Undo what was not flushed, or what came since `pending` had that length."""
        del self.pending[self._flushed if mark is None else mark :]
        self._points.clear()
        self._attributes.clear()
        self._merged = min(self._flushed, len(self.pending))
        self._unwritten.clear()
        self._listed = self._flushed

    def unwritten(self) -> Mapping[bytes, Mapping[str, Mapping[int, Value]]]:
        """The points of history that are to be written and were not yet, by entity, key and time (ms)."""
        for each in self.pending[self._listed :]:
            for entity, ts, values in each.write.series if each.history else ():
                series = self._unwritten.setdefault(entity, {})
                for name, value in values.items():
                    series.setdefault(name, {})[ts] = value
        self._listed = len(self.pending)
        return self._unwritten

    def _remove(self, fresh: Sequence[Pending]) -> list[Pending]:
        """Remove what is to be removed; what is left to be written."""
        last = {named: number for number, each in enumerate(fresh) for named in each.removed}
        entities, scopes, names = zip(*sorted(last), strict=True)
        self._rows(_REMOVE, [[uuid.UUID(bytes=each) for each in entities], list(scopes), list(names)])
        left = []
        for number, each in enumerate(fresh):
            if each.removed:
                continue
            kept = [
                (entity, scope, ts, {k: v for k, v in values.items() if last.get((entity, scope, k), -1) < number})
                for entity, scope, ts, values in each.write.attributes
            ]
            left.append(each._replace(write=each.write._replace(attributes=kept)))
        return left

    def flush(self, server: Server) -> None:
        """Write what was not written yet, in the connection's open transaction."""
        if self._points or self._attributes:
            self._merge()
        fresh = self.pending[self._flushed :]
        if any(each.removed for each in fresh):
            fresh = self._remove(fresh)
        if any(each.history or each.latest for each in fresh):
            self._write(fresh, server)
        # What is read from now on has all of it.
        self._flushed = self._merged = self._listed = len(self.pending)
        self._unwritten.clear()

    def _write(self, fresh: Sequence[Pending], server: Server) -> None:
        window = None
        if server.timescale:
            self._rows("SELECT pg_advisory_xact_lock_shared(%s)", [WINDOW_LOCK])
            window = self._rows("SELECT low, high FROM ts_window", [])[0]
        ids = {self._tenant: dict(self._ids)}
        batch = gather([each.write for each in fresh if each.history and each.latest], ids)
        # What goes to one of the two alone is rare: it follows in statements of its own, in the same order of tables.
        some = gather([each.write for each in fresh if each.history and not each.latest], ids)
        others = gather([each.write for each in fresh if each.latest and not each.history], ids)
        some.latest = []
        others.history, others.points = [], 0
        for part in (batch, some, others):
            send(self._connection, server, part, merge=True, window=window)


def _storable(names: Collection[str]) -> list[str]:
    """Those that can be in the database: a template makes any text a name, and what cannot be there is not there."""
    return [name for name in names if "\0" not in name]
