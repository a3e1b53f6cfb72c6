"""Where relations lead many entities at once, by a few statements a level on any connection: what rule nodes ask of a batch.

The walk is that of relation_search.search (compat/rule_nodes.tsv, "related entity data"): along all COMMON relations of the
tenant, and what is wanted is chosen among those that were met.
"""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import psycopg
from psycopg import sql

from devices.models import Direction
from thingsboard.kernel.errors import BadRequest
from thingsboard.kernel.ids import EntityId, EntityType

MOST_MET: Final = 20_000  # relations that are followed

# Of a front of entities: the relations that lead on from each, and whether each is wanted.
_MEET: Final = """
    SELECT q.place, r.id, r.{far}_type, r.{far}_id, {wanted}
    FROM unnest(%(kinds)s::text[], %(ids)s::uuid[]) WITH ORDINALITY AS q(kind, id, place)
    JOIN devices_entityrelation r ON r.{near}_id = q.id AND r.{near}_type = q.kind
    WHERE r."group" = 'COMMON' AND r.tenant_id = %(tenant)s LIMIT %(most)s
"""
# The oldest wanted one alone.
_FIRST: Final = """
    SELECT q.place, r.id, r.type, r.target FROM unnest(%(kinds)s::text[], %(ids)s::uuid[]) WITH ORDINALITY AS q(kind, id, place)
    CROSS JOIN LATERAL (
        SELECT r.id, r.{far}_type, r.{far}_id FROM devices_entityrelation r
        WHERE r.{near}_id = q.id AND r.{near}_type = q.kind AND r."group" = 'COMMON' AND r.tenant_id = %(tenant)s AND {wanted}
        ORDER BY r.id LIMIT 1
    ) AS r(id, type, target)
"""
_OF_PROFILE: Final = """EXISTS (
    SELECT FROM devices_device d JOIN devices_deviceprofile p ON p.id = d.profile_id
    WHERE d.id = r.{far}_id AND d.tenant_id = %(tenant)s AND p.name = ANY(%(profiles)s)
)"""


class Route(NamedTuple):
    """Which relations are walked and wanted: up to `levels`, of a type ("": any) to one of some kinds (none: any) in `wanted`
    (none: all). `last_level_only`, as relation_search.search. `profiles`: to devices of profiles with these names alone.
    """

    direction: Direction
    levels: int
    wanted: Sequence[tuple[str, Sequence[EntityType]]] = ()
    last_level_only: bool = False
    profiles: Sequence[str] | None = None


class _Met(NamedTuple):
    """A relation that was met, and where it leads."""

    id: int
    far: EntityId
    wanted: bool

    @property
    def rank(self) -> tuple[bool, int]:
        """Of several ways to an entity a wanted one counts, and of those the oldest."""
        return not self.wanted, self.id


@dataclass(slots=True)
class _Walker:
    """One entity on its way."""

    seen: set[EntityId]
    front: dict[EntityId, _Met | None]  # where it is now, and how it came there
    found: EntityId | None = None
    ends: list[tuple[int, int, EntityId]] = field(default_factory=list)  # level, relation, where it leads


def nearest_many(
    connection: psycopg.Connection[Any], tenant_id: uuid.UUID, route: Route, roots: Collection[EntityId]
) -> dict[EntityId, EntityId]:
    """Where each of the roots gets by the first wanted relation: on the nearest level, there by the oldest. Who gets nowhere is
    missing. Two statements a level at most, for all roots.

    Raises BadRequest where one root has more than MOST_MET relations to be followed; of many that have more together, half are
    walked at a time.
    """
    if not roots:
        return {}
    walk = _Walk(connection, tenant_id, route)
    try:
        return walk.go(roots)
    except BadRequest:
        if len(roots) == 1:
            raise
    split = list(roots)
    half = len(split) // 2
    one = nearest_many(connection, tenant_id, route, split[:half])
    return one | nearest_many(connection, tenant_id, route, split[half:])


class _Walk:
    def __init__(self, connection: psycopg.Connection[Any], tenant_id: uuid.UUID, route: Route) -> None:
        self._connection, self._route, self._left = connection, route, MOST_MET
        self._parameters: dict[str, Any] = {"tenant": tenant_id, "profiles": list(route.profiles or ())}
        near, far = ("from", "to") if route.direction == Direction.FROM else ("to", "from")
        names = {"near": sql.SQL(near), "far": sql.SQL(far), "wanted": self._wanted(far)}
        self._meet, self._first = (sql.SQL(text).format(**names) for text in (_MEET, _FIRST))

    def _wanted(self, far: str) -> sql.Composable:
        """The condition that a relation `r` is wanted."""
        conditions = []
        for number, (kind, targets) in enumerate(self._route.wanted):
            parts = [sql.SQL("true")]
            if kind:
                self._parameters[f"type{number}"] = kind
                parts.append(sql.SQL(f"r.type = %(type{number})s"))
            if targets:
                self._parameters[f"kinds{number}"] = [each.value for each in targets]
                parts.append(sql.SQL(f"r.{far}_type = ANY(%(kinds{number})s)"))
            conditions.append(sql.SQL(" AND ").join(parts))
        chosen = sql.SQL("({})").format(sql.SQL(" OR ").join(conditions)) if conditions else sql.SQL("true")
        if self._route.profiles is None:
            return chosen
        return sql.SQL("{} AND {}").format(chosen, sql.SQL(_OF_PROFILE).format(far=sql.SQL(far)))

    def go(self, roots: Collection[EntityId]) -> dict[EntityId, EntityId]:
        """See `nearest_many`."""
        walkers = {root: _Walker({root}, {root: None}) for root in roots}
        going = list(walkers.values())
        for level in range(1, self._route.levels + 1):
            if not self._route.last_level_only:
                going = self._arrive(going)
                if level == self._route.levels:
                    break
            if not going:
                break
            going = self._step(going, level)
        for walker in walkers.values():
            if walker.ends:
                walker.found = min(walker.ends, key=lambda each: each[:2])[2]
        return {root: walker.found for root, walker in walkers.items() if walker.found is not None}

    def _arrive(self, going: Sequence[_Walker]) -> list[_Walker]:
        """Those that find something here have found it; the others are left."""
        first = {near: met[0] for near, met in self._met(self._first, going).items()}
        left = []
        for walker in going:
            met = [first[near] for near in walker.front if near in first]
            if met:
                walker.found = min(met).far
            else:
                left.append(walker)
        return left

    def _step(self, going: Sequence[_Walker], level: int) -> list[_Walker]:
        """One level on. Returns those that can go further."""
        met = self._met(self._meet, going)
        for walker in going:
            if self._route.last_level_only:
                self._note_ends(walker, met, level)
            front: dict[EntityId, _Met | None] = {}
            for near in walker.front:
                for each in met.get(near, ()):
                    known = front.get(each.far)
                    if each.far not in walker.seen and (known is None or each.rank < known.rank):
                        front[each.far] = each
            walker.seen |= front.keys()
            walker.front = front
        return [walker for walker in going if walker.front]

    def _note_ends(self, walker: _Walker, met: Mapping[EntityId, Sequence[_Met]], level: int) -> None:
        """The wanted relations that lead to where the walk ends."""
        for near, came in walker.front.items():
            if near not in met and came is not None and came.wanted:
                walker.ends.append((level - 1, came.id, came.far))
            if level == self._route.levels:
                walker.ends += [(level, each.id, each.far) for each in met.get(near, ()) if each.wanted]

    def _met(self, statement: sql.Composed, going: Sequence[_Walker]) -> Mapping[EntityId, list[_Met]]:
        front = list(dict.fromkeys(near for walker in going for near in walker.front))
        parameters = {
            **self._parameters,
            "kinds": [each.type.value for each in front],
            "ids": [each.id for each in front],
            "most": self._left + 1,
        }
        rows = psycopg.Cursor(self._connection).execute(statement, parameters).fetchall()
        if statement is self._meet:
            self._left -= len(rows)
            if self._left < 0:
                raise BadRequest(f"There are more than {MOST_MET} relations to follow; ask for fewer levels.")
        met: dict[EntityId, list[_Met]] = {}
        for place, pk, kind, target, *wanted in rows:
            known = met.setdefault(front[place - 1], [])
            known.append(_Met(pk, EntityId(EntityType(kind), target), wanted[0] if wanted else True))
        return met
