"""One batch of writes: gathered, de-duplicated and ordered in memory, then sent in a handful of statements.

Pure up to `send`, which only needs an open transaction; transports and services share it. Measured on PostgreSQL 18
(docs/decisions/0003): an array of records through `unnest` costs the server what a staging table does, in one statement, so it
serves everything but the large conflict-free batch, which goes by COPY.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import psycopg

from telemetry.points import Value
from telemetry.store.rows import ATTRIBUTE_RECORD, COPY_END, COPY_ROW, COPY_START, RECORD, Packed, PackedDumper, array

# Below this many points one statement is as cheap as COPY with its three extra round trips (measured: equal at 3 to 9).
FEWEST_FOR_COPY = 10

Values = dict[str, Value]


class Write(NamedTuple):
    """What one message asks to be written. Tenant and entities are UUIDs' 16 bytes, times are ms.

    `series`: (entity, ts, values); `attributes`: (entity, scope, ts, values).
    """

    tenant: bytes
    series: Sequence[tuple[bytes, int, Values]]
    attributes: Sequence[tuple[bytes, int, int, Values]] = ()

    def values(self) -> list[Values]:
        """The values of all its readings and attribute sets."""
        found = [values for _, _, values in self.series]
        if self.attributes:
            found += [values for *_, values in self.attributes]
        return found


class Rows(NamedTuple):
    """One reading with its keys' numbers."""

    entity: bytes
    ts: int
    values: Values
    ids: dict[str, int]


@dataclass(slots=True)
class Batch:
    """What one transaction writes: readings in (entity, ts) order, the newest of each series, attributes."""

    history: list[Rows] = field(default_factory=list)
    latest: list[Rows] = field(default_factory=list)
    attributes: list[tuple[bytes, int, int, int, Value]] = field(default_factory=list)
    points: int = 0


def gather(writes: Iterable[Write], ids_of: dict[bytes, dict[str, int]]) -> Batch:
    """Merge writes into a batch, without duplicates and in the one order that all transactions keep (entity, then key).

    The later of two values for the same (entity, key, ts) wins, as it would if they were written one after the other.
    `ids_of` maps each tenant to its keys' numbers.
    """
    readings: dict[bytes, list[Rows]] = {}
    attributes: dict[tuple[bytes, int, int], tuple[int, Value]] = {}
    for tenant, series, attribute_sets in writes:
        ids = ids_of[tenant]
        for entity, ts, values in series:
            row = Rows(entity, ts, values, ids)
            known = readings.get(entity)
            if known is None:
                readings[entity] = [row]
            else:
                known.append(row)
        for entity, scope, ts, values in attribute_sets:
            for key, value in values.items():
                attributes[entity, scope, ids[key]] = (ts, value)
    batch = Batch()
    for entity in sorted(readings):
        rows = readings[entity]
        if len(rows) > 1:
            rows = _in_order(rows)
        batch.history += rows
        batch.latest += _newest(rows) if len(rows) > 1 else rows
    batch.points = sum([len(row.values) for row in batch.history])
    batch.attributes = [(*key, *attributes[key]) for key in sorted(attributes)]
    return batch


def _in_order(rows: list[Rows]) -> list[Rows]:
    """One entity's readings by time; those of the same ms become one."""
    rows.sort(key=_ts)  # stable: the later arrival stays behind the earlier one
    merged = [rows[0]]
    for row in rows[1:]:
        last = merged[-1]
        if row.ts == last.ts:
            merged[-1] = last._replace(values={**last.values, **row.values})
        else:
            merged.append(row)
    return merged


def _ts(row: Rows) -> int:
    return row.ts


def _newest(rows: list[Rows]) -> list[Rows]:
    """Of one entity's readings in time order, those that hold the newest value of some key, cut down to these keys."""
    last = rows[-1]
    keys = last.values.keys()
    if all(row.values.keys() == keys for row in rows):
        return [last]
    seen: set[str] = set()
    newest = []
    for row in reversed(rows):
        fresh = {key: value for key, value in row.values.items() if key not in seen}
        if fresh:
            seen |= fresh.keys()
            newest.append(row._replace(values=fresh))
    return newest


_SET_VALUES = (
    "bool_v = excluded.bool_v, long_v = excluded.long_v, dbl_v = excluded.dbl_v, "
    "str_v = excluded.str_v, json_v = excluded.json_v"
)
_MERGE_HISTORY = (
    "INSERT INTO {table} SELECT * FROM unnest(%b::ts_point[]) "
    f"ON CONFLICT (entity_id, key_id, ts) DO UPDATE SET {_SET_VALUES}"
)
_MERGE_NEAR = _MERGE_HISTORY.format(table="ts_kv")
_MERGE_FAR = _MERGE_HISTORY.format(table="ts_kv_far")
_MERGE_LATEST = (
    "INSERT INTO ts_latest AS l SELECT * FROM unnest(%b::ts_point[]) "
    f"ON CONFLICT (entity_id, key_id) DO UPDATE SET ts = excluded.ts, {_SET_VALUES} WHERE l.ts <= excluded.ts"
)
_MERGE_ATTRIBUTES = (
    "INSERT INTO attribute_kv SELECT * FROM unnest(%b::ts_attribute[]) "
    f"ON CONFLICT (entity_id, scope, key_id) DO UPDATE SET last_update_ts = excluded.last_update_ts, {_SET_VALUES}"
)
# What says the same again is left alone, and its time with it: as the node "save attributes" does it.
_CHANGE_ATTRIBUTES = (
    "INSERT INTO attribute_kv AS a SELECT * FROM unnest(%b::ts_attribute[]) "
    f"ON CONFLICT (entity_id, scope, key_id) DO UPDATE SET last_update_ts = excluded.last_update_ts, {_SET_VALUES} "
    "WHERE (a.bool_v, a.long_v, a.dbl_v, a.str_v, a.json_v) IS DISTINCT FROM "
    "(excluded.bool_v, excluded.long_v, excluded.dbl_v, excluded.str_v, excluded.json_v)"
)
_COPY = "COPY ts_kv (entity_id, key_id, ts, bool_v, long_v, dbl_v, str_v, json_v) FROM STDIN (FORMAT binary)"


class Server(NamedTuple):
    """What must be known of a database before a batch is sent: the types' oids, and whether history is a hypertable."""

    point_oid: int
    attribute_oid: int
    timescale: bool


def introspect(connection: "psycopg.Connection[Any]") -> Server:
    """Ask the database once per connection."""
    row = psycopg.Cursor(connection).execute(
        "SELECT 'ts_point'::regtype::oid, 'ts_attribute'::regtype::oid, "
        "(SELECT relkind = 'r' FROM pg_class WHERE oid = 'ts_kv'::regclass)"
    )
    return Server(*(row.fetchone() or (0, 0, False)))


def send(
    connection: "psycopg.Connection[Any]",
    server: Server,
    batch: Batch,
    *,
    merge: bool,
    window: tuple[int, int] | None = None,
    only_changes: bool = False,
) -> None:
    """Write the batch in the connection's open transaction.

    With merge=False a large batch goes by COPY and raises UniqueViolation where a point is there already; merge=True
    overwrites it. `window` (ms) is TimescaleDB's: what lies outside goes to the far table. With
    `only_changes` attributes that have their value already keep its time. Order of tables is fixed.
    """
    cursor = psycopg.Cursor(connection)
    cursor.adapters.register_dumper(Packed, PackedDumper)
    near = batch.history
    if window is not None:
        low, high = window
        far = [row for row in near if not low <= row.ts < high]
        if far:
            near = [row for row in near if low <= row.ts < high]
            cursor.execute(_MERGE_FAR, [array(_records(far), server.point_oid)], prepare=True)
    if near:
        if merge or batch.points < FEWEST_FOR_COPY:
            cursor.execute(_MERGE_NEAR, [array(_records(near), server.point_oid)], prepare=True)
        else:
            with cursor.copy(_COPY) as copy:
                copy.write(_copy_body(near))
    if batch.latest:
        cursor.execute(
            _MERGE_LATEST, [array(_records(batch.latest, in_key_order=True), server.point_oid)], prepare=True
        )
    if batch.attributes:
        records = [
            ATTRIBUTE_RECORD[type(value)](entity, key, ts, value, scope)
            for entity, scope, key, ts, value in batch.attributes
        ]
        statement = _CHANGE_ATTRIBUTES if only_changes else _MERGE_ATTRIBUTES
        cursor.execute(statement, [array(records, server.attribute_oid)], prepare=True)


def _copy_body(history: list[Rows]) -> bytes:
    pack = COPY_ROW
    parts = [COPY_START]
    parts += [
        pack[type(value)](entity, ids[key], ts, value)
        for entity, ts, values, ids in history
        for key, value in values.items()
    ]
    parts.append(COPY_END)
    return b"".join(parts)


def _records(rows: list[Rows], *, in_key_order: bool = False) -> list[bytes]:
    """Records of all values. Rows that two transactions may update must be in key order, or they could deadlock."""
    pack = RECORD
    if not in_key_order:
        return [
            pack[type(value)](entity, ids[key], ts, value)
            for entity, ts, values, ids in rows
            for key, value in values.items()
        ]
    keyed = sorted(
        [(entity, ids[key], ts, value) for entity, ts, values, ids in rows for key, value in values.items()],
        key=_entity_and_key,
    )
    return [pack[type(value)](entity, key, ts, value) for entity, key, ts, value in keyed]


def _entity_and_key(row: tuple[bytes, int, int, Value]) -> tuple[bytes, int]:
    return row[0], row[1]
