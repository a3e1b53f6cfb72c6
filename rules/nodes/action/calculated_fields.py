"""Calculated fields and alarm rules."""

from collections.abc import Sequence

from rules.node import SUCCESS, Category, Context, Emit, Msg, Node, Outcome


class CalculatedFields(Node):
    """Tells calculated fields and alarm rules of the values of a message, without saving them.

    There are neither of them yet, so nobody is told: every message leaves by Success as it came, and imported chains do the
    rest of their work. Chains with this node are imported and saved unchanged.
    """

    TYPE = "org.thingsboard.rule.engine.telemetry.TbCalculatedFieldsNode"
    NAME = "calculated fields and alarm rules"
    CATEGORY = Category.ACTION
    ICON = "published_with_changes"

    def run(self, ctx: Context, messages: Sequence[Msg]) -> Sequence[Outcome]:
        """Until calculated fields exist."""
        return [Emit(SUCCESS, msg) for msg in messages]
