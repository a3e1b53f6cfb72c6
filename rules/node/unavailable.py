"""Nodes of ThingsBoard that this platform knows but does not have yet: chains with them are imported, shown and saved
unchanged, and the editor can draw them.
"""

from rules.node.base import EachNode
from rules.node.context import Context
from rules.node.message import Msg
from rules.node.outcome import Emit, Outcome


class UnavailableNode(EachNode):
    """Fails every message: where that is not connected, it is a dead letter, to be run again when the node is there."""

    def one(self, ctx: Context, msg: Msg) -> Outcome:
        """The same for all."""
        return Emit.failure(msg, f"The rule node '{self.name}' is not available yet.")
