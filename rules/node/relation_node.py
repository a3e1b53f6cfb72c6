"""What the nodes that create and delete relations have in common: the relation's type and direction, and the other end."""

from typing import Any, ClassVar, Final

from rules.node.base import ENTITIES, RELATIONS, Category
from rules.node.config import Config
from rules.node.deed_node import DeedNode
from rules.node.deeds import Target
from rules.node.message import Msg
from rules.node.template import Template
from thingsboard.kernel.ids import EntityType

SUPPORTED: Final = (
    EntityType.TENANT,
    EntityType.DEVICE,
    EntityType.ASSET,
    EntityType.CUSTOMER,
    EntityType.ENTITY_VIEW,
    EntityType.DASHBOARD,
    EntityType.EDGE,
    EntityType.USER,
)
_OTHER_WAY: Final = {"FROM": "TO", "TO": "FROM"}


class RelationConfig(Config, frozen=True):
    """Which relation: its type, whether it leads from or to the originator, and the entity at its other end, by name. Type and
    names have templates.
    """

    direction: str = "FROM"
    relation_type: str = "Contains"
    entity_type: str | None = None
    entity_name_pattern: str = ""
    entity_type_pattern: str | None = None


class RelationNode(DeedNode):
    """A node that changes relations of an originator."""

    CATEGORY = Category.ACTION
    VERSION = 1
    CONFIG: ClassVar[type[Config]] = RelationConfig
    READS = frozenset({RELATIONS, ENTITIES})
    WRITES = frozenset({RELATIONS, ENTITIES})

    def __init__(self, config: RelationConfig, name: str = "") -> None:
        super().__init__(config, name)
        if config.direction not in _OTHER_WAY:
            raise ValueError(f"Unknown direction {config.direction[:40]!r}; expected FROM or TO.")
        self._relation_type = Template(config.relation_type)
        self._name = Template(config.entity_name_pattern)
        self._profile = Template(config.entity_type_pattern or "")

    def _supported(self) -> EntityType:
        """The type of the other end. Raises ValueError where it can be none."""
        named = self.config.entity_type
        found = next((each for each in SUPPORTED if each.value == named), None)
        if found is None:
            types = ", ".join(each.value for each in SUPPORTED)
            raise ValueError(
                f"Unsupported entity type '{named[:40] if named else 'null'}'! Only {types} types are allowed."
            )
        return found

    def _target(self, kind: EntityType, msg: Msg, *, create: bool = False) -> Target:
        """The other end as a message names it. Raises ValueError."""
        if kind is EntityType.TENANT:
            return Target(kind)
        return Target(kind, self._name.fill(msg), self._profile.fill(msg), create)

    @classmethod
    def upgrade(cls, version: int, raw: dict[str, Any]) -> dict[str, Any]:
        """In version 0 the directions had each other's meaning, and there was an expiration of a cache of entities. Raises
        ValueError where there is no direction.
        """
        if version > 0 or "entityCacheExpiration" not in raw:
            return raw
        rest = {key: value for key, value in raw.items() if key != "entityCacheExpiration"}
        if "direction" not in rest:
            raise ValueError("property to update: 'direction' doesn't exists in configuration!")
        direction = _OTHER_WAY.get(str(rest["direction"]))
        if direction is None:
            raise ValueError("property to update: 'direction' has invalid value!")
        return {**rest, "direction": direction}
