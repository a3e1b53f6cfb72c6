"""Synchronization start."""

from collections.abc import Sequence

from rules.node import SUCCESS, Category, Context, Emit, Msg, Node, Outcome


class SynchronizationStart(Node):
    """Lets messages pass; older chains have it from a time when it kept the messages of a device in order.

    Nothing is missing without it: messages of one originator keep their order here. Use a sequential queue, with the node
    "checkpoint" where it is not that of the profile, to have each message wait for the end of the one before.
    """

    TYPE = "org.thingsboard.rule.engine.transaction.TbSynchronizationBeginNode"
    NAME = "synchronization start"
    CATEGORY = Category.ACTION

    def run(self, ctx: Context, messages: Sequence[Msg]) -> Sequence[Outcome]:
        """As ThingsBoard does."""
        return [Emit(SUCCESS, msg) for msg in messages]
