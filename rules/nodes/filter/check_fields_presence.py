"""Check fields presence."""

from rules.node import FALSE, TRUE, Category, Config, Context, EachNode, Emit, Msg, Outcome


class CheckFieldsPresenceConfig(Config, frozen=True):
    """Which names to look for in body and metadata, and whether all of them or any one."""

    NEW = {"checkAllKeys": True}

    message_names: tuple[str, ...] = ()
    metadata_names: tuple[str, ...] = ()
    check_all_keys: bool = False


class CheckFieldsPresence(EachNode):
    """Checks whether body and metadata have certain fields.

    True: all of them are there, or any one of them where not all have to be; a field that is null is there. False: they are
    not. Without any names all of them are there, but not any one. A body that is not a JSON object leaves by Failure where
    names are looked for in it.
    """

    TYPE = "org.thingsboard.rule.engine.filter.TbCheckMessageNode"
    NAME = "check fields presence"
    CATEGORY = Category.FILTER
    RELATIONS = (TRUE, FALSE)
    CONFIG = CheckFieldsPresenceConfig
    CONFIG_DIRECTIVE = "tbFilterNodeCheckMessageConfig"

    def __init__(self, config: CheckFieldsPresenceConfig, name: str = "") -> None:
        super().__init__(config, name)
        self._names = frozenset(config.message_names)
        self._metadata = frozenset(config.metadata_names)

    def one(self, ctx: Context, msg: Msg) -> Outcome:
        """The body counts first."""
        try:
            members = msg.data.members if self._names else {}
        except ValueError as error:
            return Emit.failure(msg, str(error))
        if self.config.check_all_keys:
            passes = self._names <= members.keys() and self._metadata <= msg.metadata.keys()
        else:
            passes = not self._names.isdisjoint(members) or not self._metadata.isdisjoint(msg.metadata)
        return Emit(TRUE if passes else FALSE, msg)
