"""The newest readings of an entity, put together again as they may have come: what rule chains are tried on."""

from typing import Any

import psycopg

from telemetry.points import Reading
from telemetry.store.rows import unpack

MOST_KEYS = 1_000

# A time among the newest of all keys is among the newest of each key that has it: so many of each are enough.
_NEWEST = """
    WITH known AS (SELECT key_id FROM ts_latest WHERE entity_id = %(entity)s ORDER BY key_id LIMIT %(keys)s),
    points AS (
        SELECT known.key_id, p.* FROM known CROSS JOIN LATERAL (
            SELECT ts, bool_v, long_v, dbl_v, str_v, json_v FROM ts_kv_all
            WHERE entity_id = %(entity)s AND key_id = known.key_id ORDER BY ts DESC LIMIT %(most)s
        ) p
    ),
    times AS (SELECT DISTINCT ts FROM points ORDER BY ts DESC LIMIT %(most)s)
    SELECT p.ts, k.name, p.bool_v, p.long_v, p.dbl_v, p.str_v, p.json_v
    FROM points p JOIN times USING (ts) JOIN ts_key k ON k.id = p.key_id ORDER BY p.ts, k.name
"""


def newest_readings(connection: "psycopg.Connection[Any]", entity_id: Any, most: int) -> list[Reading]:
    """The newest `most` readings of an entity, the oldest of them first: all that was measured at one time is one."""
    found: list[Reading] = []
    parameters = {"entity": entity_id, "most": most, "keys": MOST_KEYS}
    for ts, name, *columns in psycopg.Cursor(connection).execute(_NEWEST, parameters):
        value = unpack(columns)
        if not found or found[-1][0] != ts:
            found.append((ts, {}))
        if value is not None:
            found[-1][1][name] = value
    return found
