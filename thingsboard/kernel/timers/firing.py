"""Firing: timers that are due become messages of the queue, in one transaction, so each exactly once.

Slices are bounded. While more is due than fits one, tenants take turns in it, so that a hundred thousand timers of one
tenant do not hold up those of another. Who fires does so alone: messages leave in the order of their times.
"""

import logging
import uuid
from collections.abc import Sequence
from typing import Any, NamedTuple

import psycopg

from thingsboard.kernel.outbox import Appender, Row, decode_rows
from thingsboard.kernel.outbox.dead import bury_unreadable
from thingsboard.kernel.time import now_ms

log = logging.getLogger(__name__)

Connection = psycopg.Connection[Any]

MOST = 2000  # timers of one slice

_LOCK = 7_462_011  # who fires, fires alone
_ALONE = "SELECT pg_try_advisory_xact_lock(%s)"
_DUE = "SELECT id FROM kernel_timer WHERE due <= %s ORDER BY due, id LIMIT %s"
# From tenant to tenant by the index; of each the first ones, ordered by how many of its own stand before it.
_FAIR = """
    WITH RECURSIVE known AS (
        (SELECT tenant_id FROM kernel_timer ORDER BY tenant_id LIMIT 1)
        UNION ALL
        SELECT (SELECT t.tenant_id FROM kernel_timer t WHERE t.tenant_id > k.tenant_id ORDER BY t.tenant_id LIMIT 1)
        FROM known k WHERE k.tenant_id IS NOT NULL
    ), having_due AS MATERIALIZED (
        SELECT k.tenant_id FROM known k WHERE EXISTS (
            SELECT FROM kernel_timer t WHERE t.tenant_id = k.tenant_id AND t.due <= %(now)s
        )
    )
    SELECT part.id FROM having_due h CROSS JOIN LATERAL (
        SELECT first_ones.*, row_number() OVER (ORDER BY due, id) AS turn FROM (
            SELECT t.id, t.due FROM kernel_timer t WHERE t.tenant_id = h.tenant_id AND t.due <= %(now)s
            ORDER BY t.due, t.id LIMIT 1 + %(most)s / (SELECT count(*) FROM having_due)
        ) first_ones
    ) part
    ORDER BY part.turn, part.due, part.id LIMIT %(most)s
"""
_TAKE = """
    DELETE FROM kernel_timer WHERE id IN (
        SELECT id FROM kernel_timer WHERE id = ANY(%s) FOR UPDATE SKIP LOCKED
    ) RETURNING due, id, tenant_id, queue, body
"""


class Fired(NamedTuple):
    """How many timers fired, the lanes to `kick` once it is committed, and whether more is due now."""

    timers: int = 0
    lanes: frozenset[int] = frozenset()
    more: bool = False


def fire(connection: Connection, most: int = MOST) -> Fired:
    """Move up to `most` messages that are due to their queues, in the caller's open transaction. Does nothing while somebody
    else fires. One that is being answered or replaced at this moment is left to whoever does.
    """
    cursor = psycopg.Cursor(connection)
    row = cursor.execute(_ALONE, [_LOCK]).fetchone()
    if not row or not row[0]:
        return Fired()
    now = now_ms()
    due = [key for (key,) in cursor.execute(_DUE, [now, most], prepare=True)]
    more = len(due) == most
    if more:
        due = [key for (key,) in cursor.execute(_FAIR, {"now": now, "most": most})]
    if not due:
        return Fired()
    taken = cursor.execute(_TAKE, [due], prepare=True).fetchall()
    return Fired(len(taken), frozenset(_append(connection, taken)), more and bool(taken))


def _append(connection: Connection, taken: Sequence[tuple[Any, ...]]) -> set[int]:
    by_queue: dict[tuple[uuid.UUID, str], list[Row]] = {}
    for _, _, tenant_id, queue, body in sorted(taken, key=lambda row: row[:2]):
        try:
            rows = decode_rows(body)
        except ValueError as error:
            log.error("The message of a timer cannot be read: %s", error)
            bury_unreadable(connection, tenant_id, queue, body, f"It cannot be read: {error}")
        else:
            by_queue.setdefault((tenant_id, queue), []).extend(rows)
    appender, lanes = Appender(), set[int]()
    # In one order, as whoever registers flows in several queues must (outbox.append).
    for (tenant_id, queue), found in sorted(by_queue.items(), key=lambda item: item[0]):
        lanes |= appender.append(connection, tenant_id.bytes, found, queue)
    return lanes
