"""The base class of nodes with deeds (rules.node.deeds)."""

from collections.abc import Sequence

from rules.node.base import Node
from rules.node.context import RULE_NODE_ID, Context
from rules.node.message import Msg
from rules.node.outcome import Emit, Outcome
from thingsboard.kernel.errors import PlatformError


class DeedNode(Node):
    """A node with deeds: one message after the other, each with an outcome of its own."""

    def one(self, ctx: Context, msg: Msg) -> Outcome:
        """The outcome of a message. ValueError and PlatformError are its Failure."""
        raise NotImplementedError

    def run(self, ctx: Context, messages: Sequence[Msg]) -> Sequence[Outcome]:
        """What was done for one message stays done whatever becomes of the next."""
        return [self._outcome(ctx, msg) for msg in messages]

    def _outcome(self, ctx: Context, msg: Msg) -> Outcome:
        try:
            return self.one(ctx, msg)
        except (ValueError, PlatformError) as error:
            return Emit.failure(msg, str(error))


def tells(msg: Msg) -> bool:
    """Whether the rules hear of what is made because of a message: not where it was caused by a node itself, or a chain
    that does the same for every message would never come to an end.
    """
    return RULE_NODE_ID not in msg.metadata
