"""Output."""

from collections.abc import Sequence

from rules.node import Category, Context, Leave, Msg, Node, Outcome


class Output(Node):
    """Gives messages back to the rule chain that called this one.

    There they leave the node that called by a label: the name of this node. Where nobody called they are done.
    """

    TYPE = "org.thingsboard.rule.engine.flow.TbRuleChainOutputNode"
    NAME = "output"
    CATEGORY = Category.FLOW
    CONFIG_DIRECTIVE = "tbFlowNodeRuleChainOutputConfig"
    OUT_ENABLED = False

    def run(self, ctx: Context, messages: Sequence[Msg]) -> Sequence[Outcome]:
        """By this node's name."""
        name = self.name
        return [Leave(name, msg) for msg in messages]
