"""Appends messages in the writer's own transaction: with its COMMIT they are durable, without it they never were."""

import time
import uuid
from collections.abc import Iterable, Sequence
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection as django_connection
from django.db import transaction

from thingsboard.kernel.outbox.flows import MAIN, flow_id, lane_of
from thingsboard.kernel.outbox.kicks import kick
from thingsboard.kernel.outbox.messages import Message, Row, encode, parts

Connection = psycopg.Connection[Any]

_REGISTER = (
    "INSERT INTO kernel_outboxflow (id, tenant_id, queue, lane) VALUES (%b, %b, %t, %b) ON CONFLICT (id) DO NOTHING"
)
_APPEND = (
    "INSERT INTO kernel_outboxrow (flow_id, messages, done, size, attempts, retries, not_before, created_time, body) "
    "VALUES (%b, %b, 0, %b, 0, 0, 0, %b, %b)"
)


class Appender:
    """Appends on one connection, and remembers which flows are registered there for good.

    `append` may be called several times in a transaction; `committed` says that it was. One user at a time.
    """

    MOST_KNOWN = 100_000

    def __init__(self) -> None:
        self._known: set[int] = set()
        self._fresh: set[int] = set()

    def append(self, connection: Connection, tenant: bytes, rows: Sequence[Row], queue: str = MAIN) -> set[int]:
        """Append encoded messages (`Message.row()`), in order; returns their lanes, to be kicked once it is committed."""
        by_lane: dict[int, list[Row]] = {}
        for row in rows:
            lane = lane_of(row[2])
            known = by_lane.get(lane)
            if known is None:
                by_lane[lane] = [row]
            else:
                known.append(row)
        cursor = psycopg.Cursor(connection)
        now = int(time.time() * 1000)  # of the machine: how long a row waits is no matter of tests' clocks
        for lane in sorted(by_lane):
            flow = self.register(connection, tenant, queue, lane)
            for part in parts(by_lane[lane]):
                body = encode(part)
                cursor.execute(_APPEND, [flow, len(part), len(body), now, body], prepare=True)
        return set(by_lane)

    def register(self, connection: Connection, tenant: bytes, queue: str, lane: int) -> int:
        """Make sure that whoever looks for work knows the flow; returns its id."""
        flow = flow_id(tenant, queue, lane)
        if flow not in self._known and flow not in self._fresh:
            parameters = [flow, uuid.UUID(bytes=tenant), queue, lane]
            psycopg.Cursor(connection).execute(_REGISTER, parameters, prepare=True)
            self._fresh.add(flow)
        return flow

    def committed(self) -> None:
        """What was appended is committed."""
        if self._fresh:
            if len(self._known) > self.MOST_KNOWN:
                self._known.clear()
            self._known |= self._fresh
            self._fresh.clear()

    def rolled_back(self) -> None:
        """What was appended never was."""
        self._fresh.clear()


def append(tenant_id: uuid.UUID, message: Message, *, queue: str = MAIN) -> None:
    """Append a message in Django's open transaction; the rule engine is told after its commit."""
    append_many(tenant_id, [message], queue=queue)


def append_many(tenant_id: uuid.UUID, messages: Iterable[Message], *, queue: str = MAIN) -> None:
    """Append messages in order, in Django's open transaction. Raises TransactionManagementError outside of one."""
    if not django_connection.in_atomic_block:
        raise transaction.TransactionManagementError(
            "Messages are appended inside the transaction that they belong to."
        )
    django_connection.ensure_connection()
    lanes = append_on(django_connection.connection, tenant_id, messages, queue=queue)
    if lanes:
        transaction.on_commit(lambda: kick(lanes), robust=True)


def append_on(
    connection: Connection, tenant_id: uuid.UUID, messages: Iterable[Message], *, queue: str = MAIN
) -> set[int]:
    """Append messages in any connection's open transaction; returns the lanes to `kick` once it is committed."""
    return Appender().append(connection, tenant_id.bytes, [message.row() for message in messages], queue)


def register_flows(tenant_id: uuid.UUID, queue: str = MAIN) -> None:
    """Register all flows of a queue ahead, in Django's open transaction. Two transactions that each register two of them as
    they go would wait for each other.
    """
    django_connection.ensure_connection()
    for lane in range(settings.TB_RULE_LANES):
        Appender().register(django_connection.connection, tenant_id.bytes, queue, lane)
