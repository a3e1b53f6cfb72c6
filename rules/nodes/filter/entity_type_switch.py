"""Entity type switch."""

from collections.abc import Sequence

from rules.node import Category, Context, Emit, Msg, Node, Outcome
from rules.node.entity_types import LABELS, THEIR_LABELS


class EntityTypeSwitch(Node):
    """Routes messages by the type of their originator.

    Each type has a label of its own: Device, Asset, Entity View, Customer and so on.
    """

    TYPE = "org.thingsboard.rule.engine.filter.TbOriginatorTypeSwitchNode"
    NAME = "entity type switch"
    CATEGORY = Category.FILTER
    RELATIONS = THEIR_LABELS

    def run(self, ctx: Context, messages: Sequence[Msg]) -> Sequence[Outcome]:
        """By the label of the originator's type."""
        return [Emit(LABELS[msg.originator.type], msg) for msg in messages]
