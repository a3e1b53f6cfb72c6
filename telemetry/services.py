"""What apps do with telemetry: save, read and delete points and attributes, forget entities. Inside the caller's
transaction.
"""

import logging
import uuid
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import psycopg
from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.db.utils import DataError
from psycopg import errors

from telemetry import erasure, fanout
from telemetry import keys as key_names
from telemetry.points import Attribute, Point, Reading, Scope, Value
from telemetry.query import HistoryQuery, QueryTooSlow
from telemetry.store.batch import Write, gather, introspect, send
from telemetry.store.connect import connect
from telemetry.store.maintenance import WINDOW_LOCK
from telemetry.store.removal import allow_decompression, history_tables
from telemetry.store.rows import unpack
from thingsboard.kernel.disk import watch
from thingsboard.kernel.errors import BadRequest, NotAvailable, TooMany
from thingsboard.kernel.ids import EntityId
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
    fanout.saved(entity_id, fanout.SERIES, readings)


def save_attributes(
    tenant_id: uuid.UUID, entity_id: uuid.UUID, scope: Scope, values: dict[str, Value], ts: int | None = None
) -> None:
    """Write attributes of one entity; `ts` (ms) is the time of the change, now by default. Errors as `save`."""
    changed_at = now_ms() if ts is None else ts
    _write(Write(tenant_id.bytes, (), [(entity_id.bytes, int(scope), changed_at, values)]))
    fanout.saved(entity_id, scope, [(changed_at, values)])
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
    """The points of a time range, raw or aggregated; keys without data are absent.

    One statement, which the database gives up after TB_TS_QUERY_SECONDS. Raises QueryTooSlow then, and BadRequest where
    the answer has too many points or a sum has no room in a double.
    """
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            _give_up_after(cursor, settings.TB_TS_QUERY_SECONDS)
            cursor.execute(query.sql(), query.parameters(entity_id))
            rows = cursor.fetchall()
            _give_up_after(cursor, 0)  # for what else the caller's transaction has to do
    except OperationalError as error:
        if isinstance(error.__cause__, errors.QueryCanceled):
            raise QueryTooSlow(
                f"The query took longer than {settings.TB_TS_QUERY_SECONDS:g} s. "
                "Ask for a shorter range, fewer keys or a smaller limit."
            ) from None
        raise
    except DataError as error:
        if isinstance(error.__cause__, errors.NumericValueOutOfRange):
            raise BadRequest("The sum of an interval is larger than a double can hold.") from None
        raise
    return query.points(rows)


def _give_up_after(cursor: Any, seconds: float) -> None:
    """Bound what a statement of this transaction may take; 0: as long as the session allows."""
    if seconds:
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [f"{max(round(seconds * 1000), 1)}ms"])
    else:
        cursor.execute("SET LOCAL statement_timeout TO DEFAULT")


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
    fanout.changed(entity_id, scope, gone)
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
    fanout.changed(entity_id, fanout.SERIES, keys)
    ids = [row[0] for row in _rows("SELECT id FROM ts_key WHERE name = ANY(%s)", [list(keys)])]
    scope: dict[str, Any] = {"entity": entity_id, "ids": ids, "start": start_ts, "end": end_ts}
    # without bounds of time TimescaleDB drops compressed batches without unpacking them
    where = "entity_id = %(entity)s AND key_id = ANY(%(ids)s)"
    where += " AND ts >= %(start)s" if start_ts is not None else ""
    where += " AND ts < %(end)s" if end_ts is not None else ""
    with connection.cursor() as cursor:
        allow_decompression(cursor)
        for table in history_tables(cursor):
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


def forget(tenant_id: uuid.UUID, entities: Iterable[EntityId]) -> None:
    """Have all points, latest values and attributes of deleted entities removed in the background.

    To be called in the transaction that deletes them: both happen, or neither. Services that say `deleting` need not; it
    is called for them. Progress: `GET /api/v1/erasures`.
    """
    erasure.request(tenant_id, entities)


def forget_tenant(tenant_id: uuid.UUID) -> None:
    """The same for a tenant and all its entities, which must still be there: see `erasure.request_tenant`."""
    erasure.request_tenant(tenant_id)
