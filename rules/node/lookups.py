"""What nodes may look up beside values and alarms: who is related, who has a name, what a device signs in with, history, and
what the node itself remembered. Everything is the tenant's own; each question takes all messages of a batch at once.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol

from telemetry.points import Aggregation, Point
from thingsboard.kernel.ids import EntityId, EntityType

DEEPEST_WALK: Final = 100  # levels


class Wanted(NamedTuple):
    """Relations of that type ("": any) that lead to one of these kinds (none: any)."""

    type: str = ""
    kinds: tuple[EntityType, ...] = ()


class Walk(NamedTuple):
    """Along all COMMON relations FROM (or TO) an entity, up to so many levels. `wanted` chooses among those that were met
    (none: all) and does not stop the walk. `last_level_only`: those alone that lead to where the walk ends, at the last level
    or at an entity without any further. `profiles`: to devices of profiles with these names alone.
    """

    direction: str
    levels: int = 1
    wanted: tuple[Wanted, ...] = ()
    last_level_only: bool = False
    profiles: tuple[str, ...] | None = None


class Credentials(NamedTuple):
    """What a device proves its identity with, in the clear. `value` is None for an access token, which is the id."""

    type: str
    id: str
    value: str | None


class Window(NamedTuple):
    """Series of an entity from `start_ts` on and before `end_ts` (ms)."""

    entity: EntityId
    keys: tuple[str, ...]
    start_ts: int
    end_ts: int


class Sampling(NamedTuple):
    """Which points of a window: the oldest `limit` of each key, or the newest if `descending`; or with an aggregation one that
    stands for all, in the middle of the window, which must then be at least 1 ms long.
    """

    limit: int = 1
    descending: bool = False
    agg: Aggregation = Aggregation.NONE


class Lookups(Protocol):
    """See the module."""

    def related(self, walk: Walk, entities: Collection[EntityId]) -> Mapping[EntityId, EntityId]:
        """Where each of the entities gets by the first relation that is wanted: the nearest, of those equally near the oldest.
        Who gets nowhere is missing. Raises ValueError where a walk meets too many relations.
        """
        ...

    def named(self, type: EntityType, names: Collection[str]) -> Mapping[str, EntityId]:
        """The entities of that type by their names (users: by their e-mail addresses); what does not exist is missing."""
        ...

    def credentials(self, devices: Collection[EntityId]) -> Mapping[EntityId, Credentials]:
        """What these devices prove their identity with; who is no device of the tenant is missing."""
        ...

    def history(self, windows: Sequence[Window], sampling: Sampling) -> Iterator[Mapping[str, Sequence[Point]]]:
        """The points of each window, in their order, by key; read as they are asked for. Keys without points are missing.
        Raises ValueError where it takes the database too long, or a sum has no room in a double.
        """
        ...

    def remembered(self, purpose: str, entities: Collection[EntityId]) -> Mapping[EntityId, Any]:
        """What the node that is running remembered of these entities for that purpose; what it does not know is missing.

        A memory is a process's and bounded: a restart forgets it, so does a long time without use, and another worker has one
        of its own. It is only to be believed beside what is stored.
        """
        ...

    def remember(self, purpose: str, entity: EntityId, value: Any) -> None:
        """Remember it, something that nobody changes: for the rest of the batch, and with the batch's COMMIT for later ones."""
        ...
