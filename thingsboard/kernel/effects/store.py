"""Stores work outside, many at a time, in the transaction of the batch that wants it."""

import uuid
from collections.abc import Sequence
from typing import Any, NamedTuple

import psycopg

from thingsboard.kernel.outbox.messages import Row, encode

Connection = psycopg.Connection[Any]

LONGEST_DESTINATION = 255  # characters
# The server's clock, in ms since 1970: leases are compared by machines whose clocks differ.
NOW = "(extract(epoch FROM statement_timestamp()) * 1000)::bigint"

_APPEND = f"""
    INSERT INTO kernel_effect (
        tenant_id, destination, queue, size, due_time, lease, attempts, parked, order_key, order_no, created_time, body
    )
    SELECT %b, w.destination, w.queue, length(w.body), {NOW}, 0, 0, false, w.key, w.place, {NOW}, w.body
    FROM unnest(%t::text[], %t::text[], %b::bytea[], %b::bigint[], %b::bigint[]) WITH ORDINALITY
        AS w(destination, queue, body, key, place, number)
    ORDER BY w.number
"""  # noqa: S608


class Effect(NamedTuple):
    """Work to be stored: whom it is for, the queue of the message, and the message as it is encoded, with the position of the
    node that does the work; the key of its line and its place there, where it keeps an order (kernel.effects.line).
    """

    destination: str
    queue: str
    row: Row
    order: tuple[int, int] | None = None


def append(connection: Connection, tenant_id: uuid.UUID, effects: Sequence[Effect]) -> None:
    """Store them in the open transaction, in one statement. Whoever commits it kicks (`kernel.effects.kick`)."""
    if not effects:
        return
    destinations = [each.destination.replace("\0", "")[:LONGEST_DESTINATION] or "-" for each in effects]
    bodies = [encode([each.row]) for each in effects]
    keys = [each.order[0] if each.order else None for each in effects]
    places = [each.order[1] if each.order else 0 for each in effects]
    parameters = [tenant_id, destinations, [each.queue for each in effects], bodies, keys, places]
    psycopg.Cursor(connection).execute(_APPEND, parameters, prepare=True)


def key_of(effect: int, created_time: int) -> uuid.UUID:
    """A name of the work, the same at each try, for receivers that know repetitions (RFC 9562, version 8)."""
    number = (created_time & (1 << 48) - 1) << 80 | 8 << 76 | 2 << 62 | effect & (1 << 62) - 1
    return uuid.UUID(int=number)
