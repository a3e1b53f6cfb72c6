"""Checkpoint."""

from collections.abc import Sequence
from typing import Any

from rules.node import AT_ONCE, Category, Context, Msg, Node, Outcome, Wait


class Checkpoint(Node):
    """Puts messages into another queue, where they go on by Success.

    A message is done here with the commit that puts it there: what fails from then on is tried again from this node on, as that
    queue says. Without a queue of its own the node puts it to the end of the queue in which it came.
    """

    TYPE = "org.thingsboard.rule.engine.flow.TbCheckpointNode"
    NAME = "checkpoint"
    CATEGORY = Category.FLOW
    VERSION = 1
    HAS_QUEUE_NAME = True

    def run(self, ctx: Context, messages: Sequence[Msg]) -> Sequence[Outcome]:
        """All at once."""
        return [Wait(msg._replace(queue=self.queue_name or msg.queue), AT_ONCE) for msg in messages]

    @classmethod
    def upgrade(cls, version: int, raw: dict[str, Any]) -> dict[str, Any]:
        """Version 0 had the name of the queue in its configuration."""
        return {key: value for key, value in raw.items() if key != "queueName"}
