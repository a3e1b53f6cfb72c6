"""Lines: stored work and messages of one originator, one after the other (rules.engine.in_line moves them).

The first in a line are works that run, or messages that can go on; behind them stand messages that wait. A line's key ends with
the last byte of its originator, so that a token for it finds the originator's lane.
"""

import uuid
from collections.abc import Collection, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple

import psycopg

from thingsboard.kernel.effects.store import NOW
from thingsboard.kernel.ids import EntityId, EntityType
from thingsboard.kernel.outbox.messages import Message, Position, Row, encode

Connection = psycopg.Connection[Any]

MOST_AT_ONCE = 100  # messages of a line in one batch

_HEADS = """
    SELECT w.key, e.id, e.order_no, e.parked, CASE WHEN e.parked THEN e.body ELSE ''::bytea END
    FROM unnest(%s::bigint[]) AS w(key)
    CROSS JOIN LATERAL (
        SELECT f.id, f.order_no, f.parked, f.body FROM kernel_effect f
        WHERE f.order_key = w.key ORDER BY f.order_no, f.id LIMIT %s
    ) e
"""
_PARK = f"""
    INSERT INTO kernel_effect (
        tenant_id, destination, queue, size, due_time, lease, attempts, parked, order_key, order_no, created_time, body
    )
    SELECT %b, '-', %t, length(w.body), 0, 0, 0, true, w.key, w.number, {NOW}, w.body
    FROM unnest(%b::bigint[], %b::bigint[], %b::bytea[]) AS w(key, number, body)
"""  # noqa: S608
_NUMBER = "SELECT nextval(pg_get_serial_sequence('kernel_effect', 'id'))"


_AGAIN = f"""
    UPDATE kernel_effect e
    SET parked = false, lease = 0, attempts = 0, due_time = {NOW} + w.pause, body = w.body, size = length(w.body)
    FROM unnest(%b::bigint[], %b::bigint[], %b::bytea[]) AS w(id, pause, body) WHERE e.id = w.id
"""  # noqa: S608


class Standing(NamedTuple):
    """A row of a line. `parked`: its message can go on as soon as it is the first; else its work runs."""

    id: int
    order_no: int
    parked: bool
    body: bytes


def key(tenant_id: uuid.UUID, queue: str, originator: bytes) -> int:
    """The key of an originator's line in a queue."""
    digest = blake2b(tenant_id.bytes + originator + queue.encode(), digest_size=7).digest()
    return int.from_bytes(digest + originator[15:], "big", signed=True)


def token(key: int) -> Row:
    """What lies in the queue for a line: the first in it may go on."""
    raw = key.to_bytes(8, "big", signed=True)
    lane = EntityId(EntityType.TENANT, uuid.UUID(bytes=bytes(15) + raw[7:]))
    return Message("", lane, b"", {}, 0, position=Position(raw, b"")).row()


def key_of_token(row: Row) -> int | None:
    """The key of the line that this row of the queue is a token for; None: it is a message."""
    if len(row) < 10 or row[9] is None or row[9][1] != b"":
        return None
    return int.from_bytes(row[9][0], "big", signed=True)


def heads(connection: Connection, keys: Collection[int], *, most: int = MOST_AT_ONCE + 1) -> dict[int, list[Standing]]:
    """The first `most` of each line, those of no line left out."""
    found: dict[int, list[Standing]] = {}
    if keys:
        cursor = psycopg.Cursor(connection)
        for key_, *rest in cursor.execute(_HEADS, [list(keys), most], prepare=True, binary=True).fetchall():
            found.setdefault(key_, []).append(Standing(*rest))
    return {key_: sorted(rows, key=lambda each: each[1::-1]) for key_, rows in found.items()}


def number(connection: Connection) -> int:
    """A number behind all numbers so far, and 65,536 of them."""
    row = psycopg.Cursor(connection).execute(_NUMBER).fetchone()
    return int(row[0]) << 16 if row else 0


def park(connection: Connection, tenant_id: uuid.UUID, queue: str, rows: Sequence[tuple[tuple[int, int], Row]]) -> None:
    """Put messages in line, each with its key and number."""
    if rows:
        keys, numbers = [order[0] for order, _ in rows], [order[1] for order, _ in rows]
        bodies = [encode([row]) for _, row in rows]
        psycopg.Cursor(connection).execute(_PARK, [tenant_id, queue, keys, numbers, bodies], prepare=True)


def leave(connection: Connection, ids: Sequence[int]) -> None:
    """These are done."""
    if ids:
        psycopg.Cursor(connection).execute("DELETE FROM kernel_effect WHERE id = ANY(%s)", [list(ids)])


def work_again(connection: Connection, rows: Sequence[tuple[int, Row, float]]) -> None:
    """What stands there as a message is work again, due after so many seconds."""
    if rows:
        bodies = [encode([row]) for _, row, _ in rows]
        pauses = [int(pause * 1000) for _, _, pause in rows]
        psycopg.Cursor(connection).execute(_AGAIN, [[row[0] for row in rows], pauses, bodies], prepare=True)
