"""Entity type filter."""

from collections.abc import Sequence

from rules.node import FALSE, TRUE, Category, Config, Context, Emit, Msg, Node, Outcome
from thingsboard.kernel.ids import EntityType


class EntityTypeFilterConfig(Config, frozen=True):
    """The types of originators that pass."""

    originator_types: tuple[EntityType, ...] = (EntityType.DEVICE,)


class EntityTypeFilter(Node):
    """Tells messages of certain types of originators from all others.

    True: the originator is a device, asset, customer or whatever else is in the list. False: it is not.
    """

    TYPE = "org.thingsboard.rule.engine.filter.TbOriginatorTypeFilterNode"
    NAME = "entity type filter"
    CATEGORY = Category.FILTER
    RELATIONS = (TRUE, FALSE)
    CONFIG = EntityTypeFilterConfig
    CONFIG_DIRECTIVE = "tbFilterNodeOriginatorTypeConfig"

    def __init__(self, config: EntityTypeFilterConfig, name: str = "") -> None:
        super().__init__(config, name)
        self._types = frozenset(config.originator_types)

    def run(self, ctx: Context, messages: Sequence[Msg]) -> Sequence[Outcome]:
        """One look-up a message."""
        types = self._types
        return [Emit(TRUE if msg.originator.type in types else FALSE, msg) for msg in messages]
