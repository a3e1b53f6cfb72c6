"""Relations queries as nodes save them (compat/rule_nodes.tsv, "related entity data", "related device attributes")."""

from rules.node.config import Config
from rules.node.lookups import DEEPEST_WALK, Walk, Wanted
from thingsboard.kernel.ids import EntityType

CONTAINS = "Contains"
MOST_FILTERS = 100


class RelationsFilter(Config, frozen=True):
    """Relations of a type (none: any) that lead to one of these kinds of entities (none: any)."""

    relation_type: str | None = CONTAINS
    entity_types: tuple[EntityType, ...] | None = ()


class RelationsQuery(Config, frozen=True):
    """Which entity is meant: one that relations of the originator lead to."""

    direction: str | None = "FROM"
    max_level: int = 1
    filters: tuple[RelationsFilter, ...] | None = (RelationsFilter(),)
    fetch_last_level_only: bool = False

    def walk(self) -> Walk:
        """The same as it is asked. Raises ValueError for an unknown direction and for too many filters."""
        if len(self.filters or ()) > MOST_FILTERS:
            raise ValueError(
                f"The relations query has {len(self.filters or ())} filters; expected at most {MOST_FILTERS}."
            )
        wanted = tuple(Wanted(each.relation_type or "", tuple(each.entity_types or ())) for each in self.filters or ())
        return Walk(_direction(self.direction), _levels(self.max_level), wanted, self.fetch_last_level_only)


class DeviceRelationsQuery(Config, frozen=True):
    """Which device is meant: one of these profiles that relations of a type lead to."""

    direction: str | None = "FROM"
    max_level: int = 1
    relation_type: str | None = CONTAINS
    device_types: tuple[str, ...] | None = ("default",)
    fetch_last_level_only: bool = False

    def walk(self) -> Walk:
        """The same as it is asked. Raises ValueError for an unknown direction."""
        type = CONTAINS if self.relation_type is None else self.relation_type
        wanted = (Wanted(type, (EntityType.DEVICE,)),)
        levels, profiles = _levels(self.max_level), tuple(self.device_types or ())
        return Walk(_direction(self.direction), levels, wanted, self.fetch_last_level_only, profiles)


def _direction(name: str | None) -> str:
    if name not in ("FROM", "TO"):
        raise ValueError(f"Unknown direction {str(name)[:40]!r}; expected FROM or TO.")
    return name


def _levels(most: int) -> int:
    """0 and less: as far as it goes."""
    return min(most, DEEPEST_WALK) if most > 0 else DEEPEST_WALK
