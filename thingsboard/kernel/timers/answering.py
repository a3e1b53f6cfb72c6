"""Answering a message that waits: whoever takes its timer away first, this or its time, has the message go on."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import psycopg

from thingsboard.kernel.outbox import Appender, Message, Row, decode

Connection = psycopg.Connection[Any]

_TAKE = (
    "DELETE FROM kernel_timer WHERE tenant_id = %s AND key = ANY(%s) AND NOT single AND key IS NOT NULL "
    "RETURNING id, key, queue, body"
)


class Answer(NamedTuple):
    """How messages that wait for `key` go on: by `relation` instead of their own, with `data` (JSON text) as their body where
    it is not None, and with what `metadata` says; a member of it that is None is taken away.
    """

    key: uuid.UUID
    relation: str
    data: bytes | None = None
    metadata: Mapping[str, str | None] = {}


class Answered(NamedTuple):
    """Whose messages waited, and the lanes to `kick` once it is committed."""

    keys: frozenset[uuid.UUID]
    lanes: frozenset[int]


def answer(connection: Connection, tenant_id: uuid.UUID, answers: Sequence[Answer]) -> Answered:
    """Have the messages of the tenant that wait for these keys go on now, in the caller's open transaction.

    Of what nobody waits for any more nothing becomes. Each key at most once.
    """
    by_key = {each.key: each for each in answers}
    taken = psycopg.Cursor(connection).execute(_TAKE, [tenant_id, list(by_key)]).fetchall()
    by_queue: dict[str, list[Row]] = {}
    for _, key, queue, body in sorted(taken):
        by_queue.setdefault(queue, []).extend(_answered(each, by_key[key]).row() for each in decode(body))
    appender, lanes = Appender(), set[int]()
    for queue, rows in sorted(by_queue.items()):
        lanes |= appender.append(connection, tenant_id.bytes, rows, queue)
    return Answered(frozenset(key for _, key, _, _ in taken), frozenset(lanes))


def _answered(message: Message, given: Answer) -> Message:
    metadata = {**(message.metadata or {}), **given.metadata}
    return message._replace(
        data=message.data if given.data is None else given.data,
        metadata={name: value for name, value in metadata.items() if value is not None},
        position=None if message.position is None else message.position._replace(relation=given.relation),
    )
