"""Message type filter."""

from collections.abc import Sequence

from rules.node import FALSE, TRUE, Category, Config, Context, Emit, Msg, Node, Outcome


class MessageTypeFilterConfig(Config, frozen=True):
    """The types that pass; any text can be a type."""

    message_types: tuple[str, ...] = ("POST_ATTRIBUTES_REQUEST", "POST_TELEMETRY_REQUEST", "TO_SERVER_RPC_REQUEST")


class MessageTypeFilter(Node):
    """Tells messages of certain types from all others.

    True: the message's type is in the list, exactly as written there. False: it is not.
    """

    TYPE = "org.thingsboard.rule.engine.filter.TbMsgTypeFilterNode"
    NAME = "message type filter"
    CATEGORY = Category.FILTER
    RELATIONS = (TRUE, FALSE)
    CONFIG = MessageTypeFilterConfig
    CONFIG_DIRECTIVE = "tbFilterNodeMessageTypeConfig"

    def __init__(self, config: MessageTypeFilterConfig, name: str = "") -> None:
        super().__init__(config, name)
        self._types = frozenset(config.message_types)

    def run(self, ctx: Context, messages: Sequence[Msg]) -> Sequence[Outcome]:
        """One look-up a message."""
        types = self._types
        return [Emit(TRUE if msg.type in types else FALSE, msg) for msg in messages]

    def leaves_by(self, type: str) -> str:
        """By whether it is listed."""
        return TRUE if type in self._types else FALSE
