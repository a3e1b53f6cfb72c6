"""Attributes of many entities at once: what the platform itself keeps, like the activity of devices.

On any psycopg connection, Django's inside its transaction or a transport's own. Their keys are the platform's: no
tenant's limit counts them.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import psycopg

from telemetry import keys
from telemetry.points import Scope, Value
from telemetry.store.batch import Write, gather, introspect, send
from telemetry.store.connect import connect
from telemetry.store.rows import unpack

Connection = psycopg.Connection[Any]

_READ = (
    "SELECT entity_id, key_id, bool_v, long_v, dbl_v, str_v, json_v FROM attribute_kv "
    "WHERE entity_id = ANY(%s) AND scope = %s AND key_id = ANY(%s)"
)
_LOCK = (
    "SELECT FROM attribute_kv WHERE entity_id = ANY(%s) AND scope = %s AND key_id = %s "
    "ORDER BY entity_id FOR NO KEY UPDATE"
)
_TRUE = "SELECT entity_id FROM attribute_kv WHERE entity_id = ANY(%s) AND scope = %s AND key_id = %s AND bool_v"
_ADVANCE = (
    "UPDATE attribute_kv a SET long_v = r.value, last_update_ts = %s FROM unnest(%s::uuid[], %s::int8[]) r(entity, value) "
    "WHERE a.entity_id = r.entity AND a.scope = %s AND a.key_id = %s AND a.long_v < r.value RETURNING a.entity_id"
)


def key_ids(names: Iterable[str]) -> Mapping[str, int]:
    """The numbers of the platform's keys; new ones are committed on a connection of their own."""
    return keys.own(names, lambda: connect("thingsboard keys"))


def write(connection: Connection, scope: Scope, ts: int, values: Mapping[uuid.UUID, Mapping[str, Value]]) -> None:
    """Write attributes by entity, in the connection's open transaction; `ts` (ms) is the time of the change."""
    ids = dict(key_ids({name for each in values.values() for name in each}))
    sets = [(entity.bytes, int(scope), ts, dict(each)) for entity, each in values.items() if each]
    if sets:
        batch = gather([Write(keys.OWN, (), sets)], {keys.OWN: ids})
        send(connection, introspect(connection), batch, merge=True)


def read(
    connection: Connection, scope: Scope, names: Sequence[str], entities: Sequence[uuid.UUID]
) -> dict[uuid.UUID, dict[str, Value]]:
    """The named attributes of each entity; who has none of them is missing."""
    named = {number: name for name, number in key_ids(names).items() if name in names}
    found: dict[uuid.UUID, dict[str, Value]] = {}
    for entity, key, *columns in _rows(connection, _READ, [list(entities), int(scope), list(named)]):
        found.setdefault(entity, {})[named[key]] = unpack(columns)
    return found


def lock(connection: Connection, scope: Scope, name: str, entities: Sequence[uuid.UUID]) -> None:
    """Until the transaction ends nobody else writes this attribute of these entities, where it exists already."""
    psycopg.Cursor(connection).execute(_LOCK, [list(entities), int(scope), key_ids([name])[name]])


def true_for(connection: Connection, scope: Scope, name: str, entities: Iterable[uuid.UUID]) -> set[uuid.UUID]:
    """Those of the entities whose attribute is true."""
    return {row[0] for row in _rows(connection, _TRUE, [list(entities), int(scope), key_ids([name])[name]])}


def advance(
    connection: Connection, scope: Scope, name: str, ts: int, values: Mapping[uuid.UUID, int]
) -> set[uuid.UUID]:
    """Raise a whole-number attribute where it exists and is smaller; returns the entities where it did.

    Pass the entities in order, as all transactions do. Never creates a row, so it cannot bring back what was deleted.
    """
    parameters = [ts, list(values), list(values.values()), int(scope), key_ids([name])[name]]
    return {row[0] for row in _rows(connection, _ADVANCE, parameters)}


def _rows(connection: Connection, sql: str, parameters: Sequence[Any]) -> list[Any]:
    return psycopg.Cursor(connection).execute(sql, parameters).fetchall()
