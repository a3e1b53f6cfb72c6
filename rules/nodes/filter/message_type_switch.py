"""Message type switch."""

from collections.abc import Sequence

from rules.node import Category, Context, Emit, Msg, Node, Outcome
from rules.node.message_types import LABELS, OTHER


class MessageTypeSwitch(Node):
    """Routes messages by their type.

    Each type of message has a label of its own, "Post telemetry" or "Connect Event" say. Types without one, and those that a
    script made up, leave by Other.
    """

    TYPE = "org.thingsboard.rule.engine.filter.TbMsgTypeSwitchNode"
    NAME = "message type switch"
    CATEGORY = Category.FILTER
    RELATIONS = (*LABELS.values(), OTHER)

    def run(self, ctx: Context, messages: Sequence[Msg]) -> Sequence[Outcome]:
        """By the label of the type."""
        label = LABELS.get
        return [Emit(label(msg.type, OTHER), msg) for msg in messages]

    def leaves_by(self, type: str) -> str:
        """By its label."""
        return LABELS.get(type, OTHER)
