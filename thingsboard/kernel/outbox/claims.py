"""Taking messages out of the queue: who may work off a flow, what is in it, and what it costs to see that it is empty.

Everything happens on one connection, and what is remembered of a flow is forgotten with it: transaction numbers that a
server had not on disk when it crashed are given out again (docs/decisions/0025).

A look begins at `since`, the smallest number that a transaction could still have had when the flow was last seen empty: all
rows before it are gone. Without that, a look walks over every row that was ever processed, as long as some old snapshot
keeps the dead ones from being cleared away.
"""

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

Connection = psycopg.Connection[Any]

MOST_ROWS = 256  # of one slice
LARGEST_SLICE = 16 << 20  # bytes, beyond the row that passes it

_LOCK = "SELECT pg_try_advisory_xact_lock(%s)"
_FLOWS = """
    SELECT f.id, f.tenant_id, f.queue, f.lane, head.id, pg_snapshot_xmin(pg_current_snapshot())::text::bigint
    FROM kernel_outboxflow f
    LEFT JOIN unnest(%s::bigint[], %s::text[]) AS known(id, since) ON known.id = f.id
    LEFT JOIN LATERAL (
        SELECT r.id, r.not_before FROM kernel_outboxrow r
        WHERE r.flow_id = f.id AND r.xid >= coalesce(known.since, '0')::xid8
        ORDER BY r.xid, r.id LIMIT 1
    ) head ON true
    WHERE f.lane %% %s = %s AND coalesce(head.not_before, 0) <= %s
"""
_ROWS = """
    SELECT id, xid::text::bigint, messages - done, size, attempts, not_before,
           pg_snapshot_xmin(pg_current_snapshot())::text::bigint
    FROM kernel_outboxrow WHERE flow_id = %s AND xid >= %s::text::xid8 ORDER BY xid, id LIMIT %s
"""
_ATTEMPT = "UPDATE kernel_outboxrow SET attempts = attempts + 1 WHERE id = ANY(%s)"
_COLUMNS = "id, done, attempts, retries, body, created_time"
_UNCOUNT = "UPDATE kernel_outboxrow SET attempts = greatest(attempts - 1, 0) WHERE id = ANY(%s)"
_TAKE = f"DELETE FROM kernel_outboxrow WHERE id = ANY(%s) RETURNING {_COLUMNS}"  # noqa: S608
_BITE = f"SELECT {_COLUMNS} FROM kernel_outboxrow WHERE id = %s FOR UPDATE"  # noqa: S608
_BITTEN = "UPDATE kernel_outboxrow SET done = %s, attempts = %s, retries = %s, not_before = %s WHERE id = %s"
_DELETE = "DELETE FROM kernel_outboxrow WHERE id = %s"


@dataclass(frozen=True, slots=True)
class Flow:
    """What is worked off in order."""

    id: int
    tenant_id: uuid.UUID
    queue: str
    lane: int


@dataclass(frozen=True, slots=True)
class Head:
    """A row that is about to be taken: how many of its messages are left, and how often it was tried."""

    id: int
    messages: int
    attempts: int


@dataclass(frozen=True, slots=True)
class Taken:
    """A row that was taken, with its body, how many of its messages were processed before, and when (ms) it was appended."""

    id: int
    done: int
    attempts: int
    retries: int
    body: bytes
    appended: int


@dataclass(slots=True)
class Looks:
    """What one connection remembers: from where a look at each flow begins."""

    connection: Connection
    since: dict[int, int] = field(default_factory=dict)

    def ready(self, groups: int, group: int) -> list[Flow]:
        """The flows of this group of lanes in which there is something to do now. Outside of a transaction, or in one."""
        known = self.since
        parameters = [list(known), [str(each) for each in known.values()], groups, group, int(time.time() * 1000)]
        rows = psycopg.Cursor(self.connection).execute(_FLOWS, parameters, prepare=True).fetchall()
        found = []
        for flow, tenant_id, queue, lane, head, xmin in rows:
            if head is None:
                known[flow] = xmin
            else:
                found.append(Flow(flow, tenant_id, queue, lane))
        return found

    def claim(self, flow: Flow, most: int) -> list[Head] | None:
        """The next rows of a flow, up to `most` messages, each of which counts as tried once this transaction commits.

        In an open transaction, which holds the flow until it ends. None: somebody else works on it.
        """
        cursor = psycopg.Cursor(self.connection)
        if not lock(self.connection, flow.id):
            return None
        since = self.since.get(flow.id, 0)
        rows = cursor.execute(_ROWS, [flow.id, str(since), MOST_ROWS], prepare=True).fetchall()
        if not rows:
            return []
        self.since[flow.id] = min(rows[0][1], rows[0][6])
        heads: list[Head] = []
        messages = size = 0
        now = int(time.time() * 1000)
        for row, _, left, length, attempts, not_before, _ in rows:
            if not_before > now or (heads and (messages + left > most or size + length > LARGEST_SLICE)):
                break
            heads.append(Head(row, left, attempts))
            messages += left
            size += length
        cursor.execute(_ATTEMPT, [[head.id for head in heads]], prepare=True)
        return heads


def lock(connection: Connection, flow: int) -> bool:
    """Hold the flow until the open transaction ends, unless somebody else does."""
    row = psycopg.Cursor(connection).execute(_LOCK, [flow], prepare=True).fetchone()
    return bool(row and row[0])


def uncount(connection: Connection, heads: Sequence[Head]) -> None:
    """The run of these rows came to an end, though nothing came of it: what is counted are runs that end their worker."""
    psycopg.Cursor(connection).execute(_UNCOUNT, [[head.id for head in heads]])


def take(connection: Connection, heads: Sequence[Head]) -> list[Taken] | None:
    """Delete these rows and return them in the order of their ids, which is that in which they were appended.

    In the open transaction that holds the flow. None where they are not all there any more: roll back.
    """
    ids = [head.id for head in heads]
    rows = psycopg.Cursor(connection).execute(_TAKE, [ids], prepare=True).fetchall()
    if len(rows) != len(ids):
        return None
    return [Taken(*row) for row in sorted(rows)]


def hold(connection: Connection, head: Head) -> Taken | None:
    """The same for one row of which only a part is going to be processed: `bitten` says how far. None: it is gone."""
    row = psycopg.Cursor(connection).execute(_BITE, [head.id]).fetchone()
    return None if row is None else Taken(*row)


def bitten(
    connection: Connection,
    row: Taken,
    done: int,
    total: int,
    *,
    attempts: int = 0,
    retries: int = 0,
    pause_s: float = 0.0,
) -> None:
    """So many messages of the row are processed; with all of them it is gone, else it is looked at again after a pause."""
    cursor = psycopg.Cursor(connection)
    if done >= total:
        cursor.execute(_DELETE, [row.id])
    else:
        not_before = int((time.time() + pause_s) * 1000) if pause_s else 0
        cursor.execute(_BITTEN, [done, attempts, retries, not_before, row.id])
