"""Rule chain (input)."""

from collections.abc import Sequence

from rules.node import Category, Config, Context, Enter, Msg, Node, Outcome
from thingsboard.kernel.ids import parse_uuid


class RuleChainConfig(Config, frozen=True):
    """Which chain goes on, and whether that of the originator's profile is to be preferred."""

    rule_chain_id: str | None = None
    forward_msg_to_default_rule_chain: bool = False


class RuleChain(Node):
    """Lets messages go on in another rule chain.

    What the output nodes of that chain are called becomes the label by which a message leaves this one. With "forward to the
    originator's default rule chain" the chain that the originator's device or asset profile names goes first; the configured
    one is used where there is none.
    """

    TYPE = "org.thingsboard.rule.engine.flow.TbRuleChainInputNode"
    NAME = "rule chain"
    CATEGORY = Category.FLOW
    RELATIONS = ()
    CUSTOM_RELATIONS = True
    VERSION = 1
    CONFIG = RuleChainConfig
    CONFIG_DIRECTIVE = "tbFlowNodeRuleChainInputConfig"
    RULE_CHAIN_NODE = True

    def __init__(self, config: RuleChainConfig, name: str = "") -> None:
        super().__init__(config, name)
        if not config.rule_chain_id:
            raise ValueError("Rule chain must be set!")
        try:
            self._chain = parse_uuid(config.rule_chain_id).bytes
        except ValueError:
            raise ValueError(f"Failed to parse rule chain id: {config.rule_chain_id[:40]}") from None

    def run(self, ctx: Context, messages: Sequence[Msg]) -> Sequence[Outcome]:
        """Which chain a profile names, the engine knows."""
        chain = self._chain
        if self.config.forward_msg_to_default_rule_chain:
            return [Enter(b"", msg, chain) for msg in messages]
        return [Enter(chain, msg) for msg in messages]

    def calls(self) -> tuple[bytes, ...]:
        """The configured chain, and perhaps any that a profile names."""
        return (b"", self._chain) if self.config.forward_msg_to_default_rule_chain else (self._chain,)
