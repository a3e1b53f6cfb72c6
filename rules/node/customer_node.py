"""What the nodes that assign to and unassign from customers have in common."""

from typing import Any, ClassVar, Final

from rules.node.base import ENTITIES, Category
from rules.node.config import Config
from rules.node.deed_node import DeedNode
from rules.node.message import Msg
from rules.node.template import Template
from thingsboard.kernel.ids import EntityType

SUPPORTED: Final = (
    EntityType.ASSET,
    EntityType.DEVICE,
    EntityType.ENTITY_VIEW,
    EntityType.DASHBOARD,
    EntityType.EDGE,
)


class CustomerConfig(Config, frozen=True):
    """The customer's title, with templates."""

    customer_name_pattern: str = ""


class CustomerNode(DeedNode):
    """A node that changes of which customer an originator is."""

    CATEGORY = Category.ACTION
    VERSION = 1
    CONFIG: ClassVar[type[Config]] = CustomerConfig
    READS = frozenset({ENTITIES})
    WRITES = frozenset({ENTITIES})

    def __init__(self, config: CustomerConfig, name: str = "") -> None:
        super().__init__(config, name)
        self._title = Template(config.customer_name_pattern)

    def _require_supported(self, msg: Msg) -> None:
        """Raises ValueError where the originator can be no customer's."""
        if msg.originator.type not in SUPPORTED:
            raise ValueError(
                f"Unsupported originator type '{msg.originator.type.value}'! "
                f"Only {', '.join(each.value for each in SUPPORTED)} types are allowed."
            )

    @classmethod
    def upgrade(cls, version: int, raw: dict[str, Any]) -> dict[str, Any]:
        """Version 0 had an expiration of a cache of customers."""
        return {key: value for key, value in raw.items() if version > 0 or key != "customerCacheExpiration"}
