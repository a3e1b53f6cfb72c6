"""What is queued: messages, and the bytes they are kept as.

A body is a msgpack array of messages, each an array whose end may be missing where it says nothing: type, originator's kind,
originator (16 bytes), ts (ms), data (JSON text), metadata or None (what is known of the device is looked up by who reads it),
stored, id (16 bytes) or None, customer (16 bytes) or None, position or None.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from thingsboard.kernel.ids import EntityId, EntityType
from thingsboard.kernel.time import now_ms

# Bounds of one row: more of either and the rest takes another one.
MOST_MESSAGES = 500
LARGEST_BODY = 1 << 20  # bytes, beyond the message that passes it

Row = tuple[Any, ...]

_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(list[tuple[Any, ...]])


class Position(NamedTuple):
    """Where in the rule chains a message goes on: behind `node` of `chain` by `relation`, or at `node` without one.

    `stack` holds the (chain, node) pairs that called this chain, the last one first to return to; ids are 16 bytes.
    `visited` is how many nodes it met before, `retries` how often it was tried again after a failure.
    """

    chain: bytes
    node: bytes
    relation: str | None = None
    stack: tuple[tuple[bytes, bytes], ...] = ()
    visited: int = 0
    retries: int = 0


class Message(NamedTuple):
    """One message of the rule engine (compat/rule_engine.md, "Message fields"). `data` is JSON text, `ts` in ms.

    `metadata` None: a device's own message, to which the engine adds the device's name and type. `stored`: its values are in
    the store already.
    """

    type: str
    originator: EntityId
    data: bytes
    metadata: Mapping[str, str] | None = None
    ts: int | None = None
    customer_id: uuid.UUID | None = None
    id: uuid.UUID | None = None
    stored: bool = False
    position: Position | None = None

    def row(self) -> Row:
        """As it is encoded; without a `ts` it happened now."""
        head = (
            self.type,
            self.originator.type.value,
            self.originator.id.bytes,
            now_ms() if self.ts is None else self.ts,
            self.data,
            None if self.metadata is None else dict(self.metadata),
        )
        if not self.stored and self.id is None and self.customer_id is None and self.position is None:
            return head
        return (
            *head,
            int(self.stored),
            None if self.id is None else self.id.bytes,
            None if self.customer_id is None else self.customer_id.bytes,
            self.position,
        )

    @classmethod
    def of(cls, row: Sequence[Any]) -> "Message":
        """The message of a decoded row."""
        kind, originator_type, originator, ts, data, metadata, *rest = row
        stored, own_id, customer, position = (*rest, 0, None, None, None)[:4] if len(rest) < 4 else rest
        return cls(
            kind,
            EntityId(EntityType(originator_type), uuid.UUID(bytes=originator)),
            data,
            metadata,
            ts,
            None if customer is None else uuid.UUID(bytes=customer),
            None if own_id is None else uuid.UUID(bytes=own_id),
            bool(stored),
            None if position is None else position_of(position),
        )


def position_of(raw: Sequence[Any]) -> Position:
    """A position as it was decoded."""
    chain, node, relation, stack, *counts = raw
    return Position(chain, node, relation, tuple((each[0], each[1]) for each in stack), *counts)


def encode(rows: Sequence[Row]) -> bytes:
    """The body of a row of the queue."""
    return _ENCODER.encode(rows)


def decode_rows(body: bytes | memoryview) -> list[Row]:
    """The messages of a body, as they were encoded. Raises msgspec.DecodeError, a ValueError, for a body that is none."""
    return _DECODER.decode(body)


def decode(body: bytes | memoryview) -> list[Message]:
    """The messages of a body."""
    return [Message.of(row) for row in decode_rows(body)]


def parts(rows: Sequence[Row]) -> Iterable[Sequence[Row]]:
    """Cut into what fits a row each, in order."""
    start, size = 0, 0
    for index, row in enumerate(rows):
        size += len(row[4])
        if size > LARGEST_BODY or index - start + 1 >= MOST_MESSAGES:
            yield rows[start : index + 1]
            start, size = index + 1, 0
    if start < len(rows):
        yield rows[start:]
