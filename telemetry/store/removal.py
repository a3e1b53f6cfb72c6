"""Removing what was measured, in pieces: a table, a partition or a chunk at a time, some thousand rows in a transaction."""

import uuid
from collections.abc import Sequence
from typing import Any, NamedTuple

# Rows of one transaction: some 50 ms on PostgreSQL 18, and what a writer has to wait for at worst.
SLICE = 5_000


class Piece(NamedTuple):
    """Something that is worked off by itself: a quoted relation, and whether TimescaleDB holds rows of it compressed."""

    relation: str
    compressed: bool = False


def history_tables(cursor: Any) -> list[str]:
    """Where points are: on TimescaleDB the far table is one of its own, elsewhere it is a partition of ts_kv."""
    return ["ts_kv", "ts_kv_far"] if _is_timescale(cursor) else ["ts_kv"]


def pieces(cursor: Any) -> list[Piece]:
    """All that holds rows of an entity now: latest values and attributes first, as they are what is read most."""
    if _is_timescale(cursor):
        cursor.execute(
            "SELECT format('%I.%I', chunk_schema, chunk_name), is_compressed FROM timescaledb_information.chunks "
            "WHERE hypertable_schema = current_schema AND hypertable_name = 'ts_kv' ORDER BY range_start_integer"
        )
        history = [Piece(*row) for row in cursor.fetchall()]
        history.append(Piece("ts_kv_far"))
    else:
        cursor.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'ts_kv'::regclass ORDER BY 1"
        )
        history = [Piece(row[0]) for row in cursor.fetchall()]
    return [Piece("ts_latest"), Piece("attribute_kv"), *history]


def remove_slice(
    cursor: Any, piece: Piece, entities: Sequence[uuid.UUID], limit: int
) -> tuple[dict[uuid.UUID, int], bool]:
    """Remove up to `limit` rows of these entities: how many of each, and whether there may be more.

    A compressed chunk goes whole: it is segmented by entity, so its batches are dropped without being unpacked (600,000
    points in 13 ms). What it removes of each entity is counted just before. Inside the caller's transaction.
    """
    ids = list(entities)
    if piece.compressed:
        allow_decompression(cursor)
        cursor.execute(
            f"SELECT entity_id, count(*) FROM {piece.relation} WHERE entity_id = ANY(%s::uuid[]) GROUP BY 1", [ids]
        )
        counts = dict(cursor.fetchall())
        if counts:
            cursor.execute(f"DELETE FROM {piece.relation} WHERE entity_id = ANY(%s::uuid[])", [list(counts)])
        return counts, False
    cursor.execute(
        f"WITH gone AS (DELETE FROM {piece.relation} WHERE ctid = ANY(ARRAY("
        f"SELECT ctid FROM {piece.relation} WHERE entity_id = ANY(%s::uuid[]) LIMIT %s)) RETURNING entity_id) "
        "SELECT entity_id, count(*) FROM gone GROUP BY 1",
        [ids, limit],
    )
    counts = dict(cursor.fetchall())
    return counts, sum(counts.values()) >= limit


def allow_decompression(cursor: Any) -> None:
    """TimescaleDB: let this transaction unpack as many points as it must (by default it fails above 100,000)."""
    cursor.execute("SELECT set_config('timescaledb.max_tuples_decompressed_per_dml_transaction', '0', true)")


def _is_timescale(cursor: Any) -> bool:
    cursor.execute("SELECT relkind = 'r' FROM pg_class WHERE oid = 'ts_kv'::regclass")
    return bool(cursor.fetchone()[0])
