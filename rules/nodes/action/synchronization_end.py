"""Synchronization end."""

from collections.abc import Sequence

from rules.node import SUCCESS, Category, Context, Emit, Msg, Node, Outcome


class SynchronizationEnd(Node):
    """Lets messages pass; older chains have it from a time when it kept the messages of a device in order.

    See "synchronization start".
    """

    TYPE = "org.thingsboard.rule.engine.transaction.TbSynchronizationEndNode"
    NAME = "synchronization end"
    CATEGORY = Category.ACTION

    def run(self, ctx: Context, messages: Sequence[Msg]) -> Sequence[Outcome]:
        """As ThingsBoard does."""
        return [Emit(SUCCESS, msg) for msg in messages]
