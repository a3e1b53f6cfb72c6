"""Timers are set and taken back in the caller's transaction: with its COMMIT they will fire once, without it never."""

import uuid
from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

import psycopg

from thingsboard.kernel.outbox import MAIN, Row, encode

Connection = psycopg.Connection[Any]

_COLUMNS = "tenant_id, owner, key, single, due, queue, size, body"
_ROWS = "SELECT %s::uuid, * FROM unnest(%s::uuid[], %s::uuid[], %s::bool[], %s::bigint[], %s::text[], %s::int[], %b::bytea[])"
_SET = f"INSERT INTO kernel_timer ({_COLUMNS}) {_ROWS}"
# One that is kept is locked all the same: it cannot fire before this transaction ends, and so fires after it.
_SINGLE = f"""
    INSERT INTO kernel_timer ({_COLUMNS}) {_ROWS}
    ON CONFLICT (tenant_id, owner, key) WHERE single DO UPDATE
    SET due = excluded.due, queue = excluded.queue, size = excluded.size, body = excluded.body WHERE %s
"""  # noqa: S608
_ALL = "SELECT count(*), coalesce(sum(size), 0)::bigint, min(due) FROM kernel_timer"
_OF_OWNER = "SELECT count(*) FROM kernel_timer WHERE owner = %s AND tenant_id = %s AND NOT single"
_OF_TENANT = "SELECT count(*), coalesce(sum(size), 0)::bigint FROM kernel_timer WHERE tenant_id = %s"


class Timer(NamedTuple):
    """At `due` (ms) the message (`Message.row()`) goes to the queue, where its position says how it goes on. `owner` set it;
    `key` is what others may know it by.
    """

    due: int
    owner: uuid.UUID
    row: Row
    queue: str = MAIN
    key: uuid.UUID | None = None


class Waiting(NamedTuple):
    """What waits: messages, and their bytes."""

    messages: int
    size: int


class Clock(NamedTuple):
    """What waits of all tenants: messages, their bytes, and when (ms) the first of them is due."""

    messages: int = 0
    size: int = 0
    first: int | None = None

    def late(self, now: int) -> float:
        """For how long the first one is due, in seconds; `now` in ms."""
        return 0.0 if self.first is None else max(0, now - self.first) / 1000


def set_timers(connection: Connection, tenant_id: uuid.UUID, timers: Sequence[Timer]) -> None:
    """Set all of them, in one statement. Several may have the same key: who answers it answers all."""
    if timers:
        psycopg.Cursor(connection).execute(_SET, [tenant_id, *_columns(timers, single=False)])


def set_single(connection: Connection, tenant_id: uuid.UUID, timers: Iterable[Timer], *, keep: bool) -> None:
    """Set the only timer that each owner has for each key, in one statement. `keep`: where there is one it stays as it is,
    and does not fire before the transaction ends; else it is replaced.

    Raises ValueError for one without a key. Each (owner, key) at most once.
    """
    # In one order, so that two transactions never wait for each other in a circle.
    ordered = sorted(timers, key=_identity)
    if ordered:
        psycopg.Cursor(connection).execute(_SINGLE, [tenant_id, *_columns(ordered, single=True), not keep])


def cancel_owners(connection: Connection, owners: Collection[uuid.UUID]) -> int:
    """Take back all timers of these owners, whose messages are dropped; how many."""
    return psycopg.Cursor(connection).execute("DELETE FROM kernel_timer WHERE owner = ANY(%s)", [list(owners)]).rowcount


def cancel_tenants(connection: Connection, tenants: Collection[uuid.UUID]) -> int:
    """The same of tenants."""
    sql = "DELETE FROM kernel_timer WHERE tenant_id = ANY(%s)"
    return psycopg.Cursor(connection).execute(sql, [list(tenants)]).rowcount


def waiting_of_owner(connection: Connection, tenant_id: uuid.UUID, owner: uuid.UUID) -> int:
    """How many messages wait at this owner, apart from single ones."""
    row = psycopg.Cursor(connection).execute(_OF_OWNER, [owner, tenant_id], prepare=True).fetchone()
    return int(row[0]) if row else 0


def waiting_of_tenant(connection: Connection, tenant_id: uuid.UUID) -> Waiting:
    """How much waits of a tenant: reads all its timers (from the index: 100,000 in some 10 ms), so ask rarely."""
    row = psycopg.Cursor(connection).execute(_OF_TENANT, [tenant_id], prepare=True).fetchone()
    return Waiting(*row) if row else Waiting(0, 0)


def measure(connection: Connection) -> Clock:
    """How much waits of all tenants, for metrics: reads all timers, a million in some 0.1 s. Raises psycopg.Error."""
    row = psycopg.Cursor(connection).execute(_ALL).fetchone()
    return Clock(*row) if row else Clock()


def _identity(timer: Timer) -> tuple[uuid.UUID, uuid.UUID]:
    if timer.key is None:
        raise ValueError("A single timer needs a key.")
    return timer.owner, timer.key


def _columns(timers: Sequence[Timer], *, single: bool) -> list[list[Any]]:
    bodies = [encode([timer.row]) for timer in timers]
    return [
        [timer.owner for timer in timers],
        [timer.key for timer in timers],
        [single] * len(timers),
        [timer.due for timer in timers],
        [timer.queue for timer in timers],
        [len(body) for body in bodies],
        bodies,
    ]
