"""Where relations lead: bounded walks over them, and the questions that rule nodes ask for many messages at once."""

import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from django.db.models import QuerySet

from devices.models import Direction, EntityRelation, RelationGroup
from thingsboard.kernel.errors import BadRequest
from thingsboard.kernel.ids import EntityId, EntityType

DEEPEST = 10  # levels
MOST_FOUND = 10_000  # relations of one walk

_EXISTS = """
    SELECT EXISTS (
        SELECT FROM devices_entityrelation r
        WHERE q.out AND r.from_id = q.id AND r.from_type = q.kind AND r."group" = 'COMMON' AND r.type = q.type
          AND (q.other IS NULL OR (r.to_id = q.other AND r.to_type = q.other_kind))
    ) OR EXISTS (
        SELECT FROM devices_entityrelation r
        WHERE NOT q.out AND r.to_id = q.id AND r.to_type = q.kind AND r."group" = 'COMMON' AND r.type = q.type
          AND (q.other IS NULL OR (r.from_id = q.other AND r.from_type = q.other_kind))
    )
    FROM unnest(%s::bool[], %s::text[], %s::uuid[], %s::text[], %s::text[], %s::uuid[]) WITH ORDINALITY
        AS q(out, kind, id, type, other_kind, other, place)
    ORDER BY q.place
"""


@dataclass(frozen=True, slots=True)
class Question:
    """Is `entity` the FROM (or the TO) end of a COMMON relation of that type, to `other` or, where it is None, to anybody?"""

    direction: Direction
    entity: EntityId
    type: str
    other: EntityId | None = None


@dataclass(frozen=True, slots=True)
class RelationFilter:
    """Which relations of a walk are wanted: of that type (empty: any), leading to one of these kinds (empty: any).

    `negate` wants all other types (compat/websocket.md, relationsQuery).
    """

    type: str = ""
    kinds: frozenset[EntityType] = frozenset()
    negate: bool = False

    def takes(self, relation: EntityRelation, direction: Direction) -> bool:
        """Whether it wants the relation, walked in that direction."""
        if self.type and (relation.type == self.type) is self.negate:
            return False
        return not self.kinds or _far(relation, direction).type in self.kinds


@dataclass(frozen=True, slots=True)
class Found:
    """The relations of a walk, nearest first; not `complete` where there were more than were asked for."""

    relations: list[EntityRelation]
    complete: bool


def exists(question: Question) -> bool:
    """The answer to one question."""
    rows = EntityRelation.objects.filter(group=RelationGroup.COMMON, type=question.type)
    if question.direction == Direction.FROM:
        rows = rows.out_of(question.entity)
        return bool((rows.into(question.other) if question.other else rows).exists())
    rows = rows.into(question.entity)
    return bool((rows.out_of(question.other) if question.other else rows).exists())


def exists_many(connection: psycopg.Connection[Any], questions: Sequence[Question]) -> list[bool]:
    """The answers in the same order, by one statement on any connection."""
    if not questions:
        return []
    columns: list[list[Any]] = [
        [each.direction == Direction.FROM for each in questions],
        [each.entity.type.value for each in questions],
        [each.entity.id for each in questions],
        [each.type for each in questions],
        [each.other.type.value if each.other else None for each in questions],
        [each.other.id if each.other else None for each in questions],
    ]
    return [bool(row[0]) for row in psycopg.Cursor(connection).execute(_EXISTS, columns).fetchall()]


def search(
    relations: QuerySet[Any],
    root: EntityId,
    direction: Direction,
    *,
    levels: int = 1,
    filters: Iterable[RelationFilter] = (),
    last_level_only: bool = False,
    most: int = MOST_FOUND,
) -> Found:
    """Walk from `root` along `relations` (of one tenant or visible to somebody, and of one group), each entity once.

    As ThingsBoard does it, `filters` choose among what was found and do not stop the walk: a relation is wanted if one of
    them takes it, or if there are none. `last_level_only` wants those that lead to where the walk ends: at the last level,
    or at an entity without any further. A circle ends where it meets itself. One query a level, at most `most` relations.
    Raises BadRequest unless 1 <= levels <= DEEPEST.
    """
    if not 1 <= levels <= DEEPEST:
        raise BadRequest(f"maxLevel: expected a number from 1 to {DEEPEST}")
    seen, front = {root}, {root}
    walked: list[list[EntityRelation]] = []
    left = most
    while front and left >= 0 and len(walked) < levels:
        level = list(_next(relations, front, direction)[: left + 1])
        left -= len(level)
        walked.append(level)
        front = {_far(each, direction) for each in level} - seen
        seen |= front
    complete = left >= 0
    chosen = _ends(walked, direction, levels) if last_level_only else [each for level in walked for each in level]
    wanted = list(filters)
    kept = [each for each in chosen if not wanted or any(some.takes(each, direction) for some in wanted)]
    return Found(kept[:most], complete)


def _next(relations: QuerySet[Any], front: Collection[EntityId], direction: Direction) -> QuerySet[Any]:
    """The relations that lead on from the front, in a fixed order. An id is one entity's alone, whatever its kind."""
    ids: list[uuid.UUID] = [entity.id for entity in front]
    near = "from_id__in" if direction == Direction.FROM else "to_id__in"
    return relations.filter(**{near: ids}).order_by("id")


def _ends(walked: Sequence[Sequence[EntityRelation]], direction: Direction, levels: int) -> list[EntityRelation]:
    """Those that lead to where the walk ends."""
    further = {_near(each, direction) for level in walked for each in level}
    return [
        each
        for depth, level in enumerate(walked, 1)
        for each in level
        if depth == levels or _far(each, direction) not in further
    ]


def _near(relation: EntityRelation, direction: Direction) -> EntityId:
    return relation.from_entity if direction == Direction.FROM else relation.to_entity


def _far(relation: EntityRelation, direction: Direction) -> EntityId:
    return relation.to_entity if direction == Direction.FROM else relation.from_entity
