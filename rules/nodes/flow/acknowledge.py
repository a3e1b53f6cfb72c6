"""Acknowledge."""

from collections.abc import Sequence

from rules.node import SUCCESS, Category, Context, Emit, Msg, Node, Outcome


class Acknowledge(Node):
    """Says that a message is done, and lets it go on.

    What fails from here on is not tried again. For messages of which it does not matter what becomes of them next.
    """

    TYPE = "org.thingsboard.rule.engine.flow.TbAckNode"
    NAME = "acknowledge"
    CATEGORY = Category.FLOW

    def run(self, ctx: Context, messages: Sequence[Msg]) -> Sequence[Outcome]:
        """All at once."""
        ctx.acknowledge(messages)
        return [Emit(SUCCESS, msg) for msg in messages]
