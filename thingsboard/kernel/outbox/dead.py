"""Messages that are put aside, in the transaction that takes them out of the queue: to be tried again later, or for good."""

import time
import uuid
from collections.abc import Sequence
from typing import Any, NamedTuple

import psycopg

from thingsboard.kernel.outbox.append import Appender
from thingsboard.kernel.outbox.flows import lane_of
from thingsboard.kernel.outbox.messages import Row, encode, parts

Connection = psycopg.Connection[Any]

# The lanes of what is tried again lie behind those of what is new, so that it holds up nothing but its like.
RETRY_LANES = 1000
LONGEST_ERROR = 4096  # characters

_BURY = (
    "INSERT INTO kernel_deadletter (tenant_id, queue, message_id, type, originator_type, originator_id, chain_id, node_id, "
    "error, attempts, created_time, body) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
)
_PUT_OFF = (
    "INSERT INTO kernel_outboxrow (flow_id, messages, done, size, attempts, retries, not_before, created_time, body) "
    "VALUES (%s, %s, 0, %s, 0, %s, %s, %s, %s)"
)


class Casualty(NamedTuple):
    """A message that failed: as it was encoded, under which id it ran, where and why it failed, how often it was tried."""

    row: Row
    message_id: uuid.UUID
    error: str
    chain: bytes = b""
    node: bytes = b""
    attempts: int = 1


def bury(connection: Connection, tenant_id: uuid.UUID, queue: str, casualties: Sequence[Casualty]) -> None:
    """Make dead letters of messages, for an operator to read, run again or drop."""
    now = int(time.time() * 1000)
    rows = []
    for row, message_id, error, chain, node, attempts in casualties:
        kind, originator_type, originator = row[:3]
        text = error.replace("\0", "").encode(errors="replace").decode()[:LONGEST_ERROR]
        places = [uuid.UUID(bytes=each) if each else None for each in (chain, node)]
        what = [str(kind)[:255], str(originator_type)[:32], uuid.UUID(bytes=originator)]
        rows.append([tenant_id, queue, message_id, *what, *places, text, attempts, now, encode([row])])
    psycopg.Cursor(connection).executemany(_BURY, rows)


def bury_unreadable(connection: Connection, tenant_id: uuid.UUID, queue: str, body: bytes, error: str) -> None:
    """Make a dead letter of a whole row whose body says nothing that is understood: only to be looked at, and dropped."""
    now = int(time.time() * 1000)
    what = [uuid.uuid4(), "UNREADABLE", "TENANT", tenant_id, None, None, error[:LONGEST_ERROR], 1, now, body]
    psycopg.Cursor(connection).execute(_BURY, [tenant_id, queue, *what])


def put_off(
    connection: Connection,
    appender: Appender,
    tenant_id: uuid.UUID,
    queue: str,
    rows: Sequence[Row],
    *,
    retries: int,
    pause_s: float,
) -> None:
    """Have messages tried again after a pause, for the `retries`th time."""
    by_lane: dict[int, list[Row]] = {}
    for row in rows:
        by_lane.setdefault(lane_of(row[2]) + RETRY_LANES, []).append(row)
    now = int(time.time() * 1000)
    for lane, found in sorted(by_lane.items()):
        flow = appender.register(connection, tenant_id.bytes, queue, lane)
        for part in parts(found):
            body = encode(part)
            due = now + int(pause_s * 1000)
            psycopg.Cursor(connection).execute(_PUT_OFF, [flow, len(part), len(body), retries, due, now, body])
