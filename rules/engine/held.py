"""The messages that nodes hold back, by node and originator: what is stored, under what the batch took and put so far."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

from rules.engine.continuing import kept, message_of
from rules.engine.journal import Journal
from rules.node import Msg
from thingsboard.kernel.ids import EntityId
from thingsboard.kernel.outbox import Position, decode_rows, encode

Connection = psycopg.Connection[Any]

_COUNT = (
    "SELECT entity_id, count(*) FROM rules_heldmessage WHERE tenant_id = %s AND node_id = %s AND entity_id = ANY(%s) "
    "GROUP BY entity_id"
)
_READ = (
    "SELECT id, entity_id, queue, body FROM rules_heldmessage WHERE tenant_id = %s AND node_id = %s "
    "AND entity_id = ANY(%s) ORDER BY id FOR UPDATE"
)
_WRITE = """
    INSERT INTO rules_heldmessage (tenant_id, node_id, entity_id, queue, size, body)
    SELECT %s::uuid, * FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::int[], %b::bytea[])
"""
_DELETE = "DELETE FROM rules_heldmessage WHERE id = ANY(%s)"


@dataclass(slots=True)
class _Held:
    """A message that the batch put, and as it is going to be stored."""

    msg: Msg
    body: bytes


@dataclass(slots=True)
class _Pile:
    """Of one node and originator. `stored` counts what the table has, minus what was `taken` (by its ids)."""

    stored: int | None = None
    taken: list[int] = field(default_factory=list)
    fresh: list[_Held] = field(default_factory=list)


class Piles:
    """Of one batch of one tenant, on its connection."""

    def __init__(self, connection: Connection, tenant_id: uuid.UUID, journal: Journal) -> None:
        self._connection, self._tenant_id, self._journal = connection, tenant_id, journal
        self._piles: dict[tuple[bytes, EntityId], _Pile] = {}

    def put(self, place: Position, messages: Sequence[Msg]) -> None:
        """Hold messages back at a node."""
        for msg in messages:
            pile = self._piles.setdefault((place.node, msg.originator), _Pile())
            where = place._replace(stack=msg.stack, visited=msg.visited)
            pile.fresh.append(_Held(msg, encode([kept(msg, where)])))
            self._journal.note(pile.fresh.pop)

    def counts(self, node: bytes, entities: Collection[EntityId]) -> dict[EntityId, int]:
        """How many there are of each originator; those with none are left out. One statement for all that are not known yet."""
        piles = {entity: self._piles.setdefault((node, entity), _Pile()) for entity in entities}
        unknown = [entity.id for entity, pile in piles.items() if pile.stored is None]
        if unknown:
            parameters = [self._tenant_id, uuid.UUID(bytes=node), unknown]
            found = dict(psycopg.Cursor(self._connection).execute(_COUNT, parameters, prepare=True).fetchall())
            for entity, pile in piles.items():
                if pile.stored is None:
                    pile.stored = found.get(entity.id, 0)
        counts = {entity: (pile.stored or 0) + len(pile.fresh) for entity, pile in piles.items()}
        return {entity: count for entity, count in counts.items() if count}

    def take(self, node: bytes, entities: Collection[EntityId]) -> dict[EntityId, list[Msg]]:
        """All of these originators. One statement, which holds the stored ones until the batch ends."""
        piles = {entity: self._piles.setdefault((node, entity), _Pile()) for entity in dict.fromkeys(entities)}
        asked = {entity.id: entity for entity, pile in piles.items() if pile.stored is None or pile.stored}
        found: dict[EntityId, list[Msg]] = {entity: [] for entity in piles}
        ids: dict[EntityId, list[int]] = {entity: [] for entity in piles}
        if asked:
            parameters = [self._tenant_id, uuid.UUID(bytes=node), list(asked)]
            rows = psycopg.Cursor(self._connection).execute(_READ, parameters, prepare=True).fetchall()
            for key, entity_id, queue, body in rows:
                entity = asked[entity_id]
                if key not in piles[entity].taken:
                    (row,) = decode_rows(body)
                    found[entity].append(message_of(row, queue)[0])
                    ids[entity].append(key)
        for entity, pile in piles.items():
            found[entity] += [held.msg for held in pile.fresh]
            self._empty(pile, ids[entity])
        return {entity: messages for entity, messages in found.items() if messages}

    def _empty(self, pile: _Pile, ids: list[int]) -> None:
        before = pile.stored, pile.taken, pile.fresh

        def undo() -> None:
            pile.stored, pile.taken, pile.fresh = before

        pile.stored, pile.taken, pile.fresh = 0, [*pile.taken, *ids], []
        self._journal.note(undo)

    def write(self) -> None:
        """Write what was not written yet: two statements at most."""
        taken = sorted(key for pile in self._piles.values() for key in pile.taken)
        if taken:
            psycopg.Cursor(self._connection).execute(_DELETE, [taken])
        rows = [
            (uuid.UUID(bytes=node), entity.id, held.msg.queue, len(held.body), held.body)
            for (node, entity), pile in self._piles.items()
            for held in pile.fresh
        ]
        if rows:
            columns = [list(column) for column in zip(*rows, strict=True)]
            psycopg.Cursor(self._connection).execute(_WRITE, [self._tenant_id, *columns])
        self.forget()

    def forget(self) -> None:
        """Undo what was not written; what was read is read again."""
        self._piles.clear()
