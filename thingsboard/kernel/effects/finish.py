"""The end of stored work: its row goes and what becomes of its message comes, in one transaction."""

import uuid
from collections.abc import Sequence
from typing import Any, NamedTuple

import psycopg

from thingsboard.kernel.outbox.append import Appender
from thingsboard.kernel.outbox.dead import Casualty, bury, bury_unreadable
from thingsboard.kernel.outbox.messages import Row

Connection = psycopg.Connection[Any]

_DELETE = """
    DELETE FROM kernel_effect e USING unnest(%s::bigint[], %s::bigint[]) AS w(id, lease)
    WHERE e.id = w.id AND e.lease = w.lease RETURNING e.id
"""


class Unreadable(NamedTuple):
    """A body that says nothing that is understood, and why."""

    body: bytes
    error: str


class Result(NamedTuple):
    """What became of claimed work: its message as it goes on, or why that cannot be."""

    id: int
    lease: int
    tenant_id: uuid.UUID
    queue: str
    outcome: Row | Casualty | Unreadable


class Finished(NamedTuple):
    """How many results were ours to give, how many had been taken over, and the lanes to kick after the commit."""

    done: int
    lost: int
    lanes: set[int]


def finish(connection: Connection, appender: Appender, results: Sequence[Result]) -> Finished:
    """In the open transaction. What somebody else took over meanwhile leaves nothing: its continuation is his."""
    ids, leases = [each.id for each in results], [each.lease for each in results]
    deleted = psycopg.Cursor(connection).execute(_DELETE, [ids, leases], prepare=True).fetchall()
    ours = {row[0] for row in deleted}
    found: dict[tuple[uuid.UUID, str], list[Result]] = {}
    for each in sorted(results, key=_order):
        if each.id in ours:
            found.setdefault((each.tenant_id, each.queue), []).append(each)
    lanes: set[int] = set()
    for (tenant_id, queue), group in found.items():
        rows = [each.outcome for each in group if not isinstance(each.outcome, (Casualty, Unreadable))]
        lanes |= appender.append(connection, tenant_id.bytes, rows, queue)
        dead = [each.outcome for each in group if isinstance(each.outcome, Casualty)]
        if dead:
            bury(connection, tenant_id, queue, dead)
        for each in group:
            if isinstance(each.outcome, Unreadable):
                bury_unreadable(connection, tenant_id, queue, *each.outcome)
    return Finished(len(ours), len(results) - len(ours), lanes)


def _order(result: Result) -> tuple[bytes, str, int]:
    """Transactions that register flows do so in one order; messages of an originator go on in that of their beginning."""
    return result.tenant_id.bytes, result.queue, result.id
