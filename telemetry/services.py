"""What apps do with telemetry: save and read points and attributes, forget an entity. Inside the caller's
transaction.
"""

import logging
import uuid
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection, transaction
from psycopg import errors

from telemetry import keys as key_names
from telemetry.points import Attribute, Point, Reading, Scope, Value
from telemetry.query import HistoryQuery
from telemetry.store.batch import Write, gather, introspect, send
from telemetry.store.connect import connect
from telemetry.store.maintenance import WINDOW_LOCK
from telemetry.store.rows import unpack
from thingsboard.kernel.disk import watch
from thingsboard.kernel.errors import BadRequest, NotAvailable, TooMany
from thingsboard.kernel.time import now_ms

log = logging.getLogger(__name__)

_COLUMNS = "bool_v, long_v, dbl_v, str_v, json_v"

# For readers with a connection of their own (transports); services.attributes asks the same.
ATTRIBUTES_SQL = (
    f"SELECT k.name, a.scope, a.last_update_ts, {_COLUMNS} FROM attribute_kv a "  # noqa: S608
    "JOIN ts_key k ON k.id = a.key_id WHERE a.entity_id = %s AND (%s::int IS NULL OR a.scope = %s) "
    "AND (%s::text[] IS NULL OR k.name = ANY(%s)) ORDER BY a.scope, k.name"
)

# Who wants to know of a change, by scope and key; see `watch_attribute`.
_watchers: dict[tuple[Scope, str], list[Callable[[uuid.UUID], object]]] = {}


def watch_attribute(scope: Scope, key: str, changed: Callable[[uuid.UUID], object]) -> None:
    """Have `changed(entity_id)` called after the commit of every save or deletion of that attribute.

    For higher floors, which say so in `ready()`. An error in it is logged; the attribute is stored by then.
    """
    watchers = _watchers.setdefault((scope, key), [])
    if changed not in watchers:
        watchers.append(changed)


def _tell(entity_id: uuid.UUID, scope: Scope, keys: Iterable[str]) -> None:
    for key in keys:
        for changed in _watchers.get((scope, key), ()):
            transaction.on_commit(_call(changed, entity_id), robust=True)


def _call(changed: Callable[[uuid.UUID], object], entity_id: uuid.UUID) -> Callable[[], object]:
    """A function and no `partial`, because Django logs its name when it fails."""
    return lambda: changed(entity_id)


def save(tenant_id: uuid.UUID, entity_id: uuid.UUID, readings: Sequence[Reading]) -> None:
    """Write readings (ts in ms, values) of one entity to history and latest.

    Raises BadRequest for a key that cannot be one, TooMany when the tenant's keys are used up, NotAvailable while the
    database has no room.
    """
    _write(Write(tenant_id.bytes, [(entity_id.bytes, ts, values) for ts, values in readings]))


def save_attributes(
    tenant_id: uuid.UUID, entity_id: uuid.UUID, scope: Scope, values: dict[str, Value], ts: int | None = None
) -> None:
    """Write attributes of one entity; `ts` (ms) is the time of the change, now by default. Errors as `save`."""
    _write(Write(tenant_id.bytes, (), [(entity_id.bytes, int(scope), now_ms() if ts is None else ts, values)]))
    _tell(entity_id, scope, values)


def _write(write: Write) -> None:
    names = {name for values in write.values() for name in values}
    if not names:
        return
    shortage = watch().shortage()
    if shortage is not None:
        raise NotAvailable(f"{shortage} Nothing was stored.")
    try:
        _store(write, names)
    except (errors.DiskFull, errors.IoError) as error:
        log.error("Values could not be stored: %s", error)
        raise NotAvailable("The database has no room. Nothing was stored.") from None


def _store(write: Write, names: set[str]) -> None:
    ids = key_names.cache.of(write.tenant)
    unknown = names - ids.keys()
    if unknown:
        try:
            # on a connection of its own: keys are committed whatever becomes of the caller's transaction
            with connect("thingsboard keys") as side:
                ids = {**ids, **key_names.resolve(side, write.tenant, unknown, settings.TB_MAX_KEYS_PER_TENANT)}
        except key_names.InvalidKey as error:
            raise BadRequest(str(error)) from None
        except key_names.KeyLimit as error:
            raise TooMany(str(error)) from None
    batch = gather([write], {write.tenant: ids})
    with transaction.atomic():
        connection.ensure_connection()
        raw: psycopg.Connection[Any] = connection.connection
        server = introspect(raw)
        window = None
        if server.timescale:
            cursor = psycopg.Cursor(raw)
            cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [WINDOW_LOCK])
            window = cursor.execute("SELECT low, high FROM ts_window").fetchone() or (0, 0)
        send(raw, server, batch, merge=True, window=window)


def _rows(sql: str, parameters: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def latest(entity_id: uuid.UUID, keys: Sequence[str] | None = None) -> dict[str, Point]:
    """The newest point of each series, of all or of the named ones; keys without data are absent."""
    rows = _rows(
        f"SELECT k.name, l.ts, {_COLUMNS} FROM ts_latest l JOIN ts_key k ON k.id = l.key_id "  # noqa: S608
        "WHERE l.entity_id = %s AND (%s::text[] IS NULL OR k.name = ANY(%s)) ORDER BY k.name",
        [entity_id, None if keys is None else list(keys), None if keys is None else list(keys)],
    )
    return {name: Point(ts, unpack(columns)) for name, ts, *columns in rows}


def history(entity_id: uuid.UUID, query: HistoryQuery) -> dict[str, list[Point]]:
    """The points of a time range, raw or aggregated; keys without data are absent."""
    return query.points(_rows(query.sql(), query.parameters(entity_id)))


def timeseries_keys(entity_id: uuid.UUID) -> list[str]:
    """The names of an entity's series."""
    return [
        row[0]
        for row in _rows(
            "SELECT k.name FROM ts_latest l JOIN ts_key k ON k.id = l.key_id WHERE l.entity_id = %s ORDER BY k.name",
            [entity_id],
        )
    ]


def attributes(entity_id: uuid.UUID, scope: Scope | None = None, keys: Sequence[str] | None = None) -> list[Attribute]:
    """Attributes of an entity: of one scope or all, all or the named ones."""
    return attributes_of(_rows(ATTRIBUTES_SQL, attribute_parameters(entity_id, scope, keys)))


def attribute_parameters(entity_id: uuid.UUID, scope: Scope | None, keys: Sequence[str] | None) -> list[Any]:
    """The parameters of ATTRIBUTES_SQL: one scope or all, the named keys or all."""
    named = None if keys is None else list(keys)
    number = None if scope is None else int(scope)
    return [entity_id, number, number, named, named]


def attributes_of(rows: Iterable[tuple[Any, ...]]) -> list[Attribute]:
    """The rows of ATTRIBUTES_SQL."""
    return [Attribute(name, Scope(number), unpack(columns), ts) for name, number, ts, *columns in rows]


def attribute_keys(entity_id: uuid.UUID, scope: Scope | None = None) -> list[str]:
    """The names of an entity's attributes, each once."""
    return sorted({attribute.key for attribute in attributes(entity_id, scope)})


def delete_attributes(entity_id: uuid.UUID, scope: Scope, keys: Sequence[str]) -> list[str]:
    """Remove attributes; returns the names of those that were there."""
    gone = sorted(
        row[0]
        for row in _rows(
            "DELETE FROM attribute_kv a USING ts_key k WHERE k.id = a.key_id AND a.entity_id = %s AND a.scope = %s "
            "AND k.name = ANY(%s) RETURNING k.name",
            [entity_id, int(scope), list(keys)],
        )
    )
    _tell(entity_id, scope, gone)
    return gone


@transaction.atomic
def delete_timeseries(
    entity_id: uuid.UUID,
    keys: Sequence[str],
    *,
    start_ts: int | None = None,
    end_ts: int | None = None,
    delete_latest: bool = True,
    rewrite_latest: bool = False,
) -> None:
    """Remove the named series, or only their points in [start_ts, end_ts) ms.

    A latest value inside the range goes too unless delete_latest is False; with rewrite_latest the newest point that is
    left takes its place.
    """
    ids = [row[0] for row in _rows("SELECT id FROM ts_key WHERE name = ANY(%s)", [list(keys)])]
    scope: dict[str, Any] = {
        "entity": entity_id,
        "ids": ids,
        "start": start_ts or 0,
        "end": 2**63 - 1 if end_ts is None else end_ts,
    }
    where = "entity_id = %(entity)s AND key_id = ANY(%(ids)s) AND ts >= %(start)s AND ts < %(end)s"
    with connection.cursor() as cursor:
        for table in _history_tables():
            cursor.execute(f"DELETE FROM {table} WHERE {where}", scope)  # noqa: S608 - our own constants
        if delete_latest:
            cursor.execute(f"DELETE FROM ts_latest WHERE {where} RETURNING key_id", scope)  # noqa: S608
            gone = [row[0] for row in cursor.fetchall()]
            if rewrite_latest and gone:
                cursor.execute(
                    "INSERT INTO ts_latest SELECT p.* FROM unnest(%s::int[]) AS g(key_id) CROSS JOIN LATERAL "
                    "(SELECT * FROM ts_kv_all t WHERE t.entity_id = %s AND t.key_id = g.key_id "
                    "ORDER BY t.ts DESC LIMIT 1) p ON CONFLICT (entity_id, key_id) DO NOTHING",
                    [gone, entity_id],
                )


@transaction.atomic
def forget(entity_id: uuid.UUID) -> None:
    """Remove everything that was ever measured of an entity: points, latest values, attributes."""
    with connection.cursor() as cursor:
        for table in (*_history_tables(), "ts_latest", "attribute_kv"):
            cursor.execute(f"DELETE FROM {table} WHERE entity_id = %s", [entity_id])  # noqa: S608 - our own constants


def _history_tables() -> list[str]:
    """Where points are: on TimescaleDB the far table is one of its own, elsewhere it is a partition of ts_kv."""
    is_own = _rows("SELECT NOT relispartition FROM pg_class WHERE oid = 'ts_kv_far'::regclass", [])[0][0]
    return ["ts_kv", "ts_kv_far"] if is_own else ["ts_kv"]
