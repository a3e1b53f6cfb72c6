"""The end of stored work: its row goes and what becomes of its message comes, in one transaction.

Work in a line (kernel.effects.line) becomes the message that stands first there, and a token in the queue says so.
"""

import uuid
from collections.abc import Sequence
from typing import Any, NamedTuple

import psycopg

from thingsboard.kernel.effects.line import token
from thingsboard.kernel.outbox.append import Appender
from thingsboard.kernel.outbox.dead import Casualty, bury, bury_unreadable
from thingsboard.kernel.outbox.messages import Row, encode

Connection = psycopg.Connection[Any]

_DELETE = """
    DELETE FROM kernel_effect e USING unnest(%s::bigint[], %s::bigint[], %s::boolean[]) AS w(id, lease, dead)
    WHERE e.id = w.id AND e.lease = w.lease AND (e.order_key IS NULL OR w.dead) RETURNING e.id, e.order_key
"""
_STAND = """
    UPDATE kernel_effect e SET parked = true, lease = 0, attempts = 0, body = w.body, size = length(w.body)
    FROM unnest(%b::bigint[], %b::bigint[], %b::bytea[]) AS w(id, lease, body)
    WHERE e.id = w.id AND e.lease = w.lease AND e.order_key IS NOT NULL RETURNING e.id, e.order_key
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
    alive = {each.id: each for each in results if not isinstance(each.outcome, (Casualty, Unreadable))}
    parameters = [[each.id for each in results], [each.lease for each in results], [r.id not in alive for r in results]]
    gone = dict(psycopg.Cursor(connection).execute(_DELETE, parameters, prepare=True).fetchall())
    standing = _stand(connection, [each for each in alive.values() if each.id not in gone])
    ours = gone | standing
    found: dict[tuple[uuid.UUID, str], list[Result]] = {}
    for each in sorted(results, key=_order):
        if each.id in ours:
            found.setdefault((each.tenant_id, each.queue), []).append(each)
    lanes: set[int] = set()
    for (tenant_id, queue), group in found.items():
        rows: list[Row] = []
        dead: list[Casualty] = []
        for each in group:
            if isinstance(each.outcome, Unreadable):
                bury_unreadable(connection, tenant_id, queue, *each.outcome)
            elif isinstance(each.outcome, Casualty):
                dead.append(each.outcome)
            elif ours[each.id] is None:
                rows.append(each.outcome)
        tokens = [token(key) for key in sorted({key for each in group for key in [ours[each.id]] if key is not None})]
        for some in (rows, tokens):  # apart: a row of the queue holds either
            lanes |= appender.append(connection, tenant_id.bytes, some, queue)
        if dead:
            bury(connection, tenant_id, queue, dead)
    return Finished(len(ours), len(results) - len(ours), lanes)


def _stand(connection: Connection, results: Sequence[Result]) -> dict[int, int | None]:
    """Those of them that are in a line stand there as messages now: their keys by id."""
    if not results:
        return {}
    bodies = [encode([each.outcome]) for each in results if isinstance(each.outcome, tuple)]
    parameters = [[each.id for each in results], [each.lease for each in results], bodies]
    return dict(psycopg.Cursor(connection).execute(_STAND, parameters, prepare=True).fetchall())


def _order(result: Result) -> tuple[bytes, str, int]:
    """Transactions that register flows do so in one order; messages of an originator go on in that of their beginning."""
    return result.tenant_id.bytes, result.queue, result.id
