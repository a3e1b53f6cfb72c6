"""Check relation presence."""

from collections.abc import Sequence
from typing import Any

from rules.node import FALSE, TRUE, Category, Config, Context, Emit, Msg, Node, Outcome, base
from thingsboard.kernel.ids import EntityId

_OTHER_WAY = {"FROM": "TO", "TO": "FROM"}


class CheckRelationPresenceConfig(Config, frozen=True):
    """Which relation to look for: its type, whether it leads from or to the originator, and to whom."""

    NEW = {"checkForSingleEntity": True}

    direction: str = "FROM"
    entity_id: str | None = None
    entity_type: str | None = None
    relation_type: str = "Contains"
    check_for_single_entity: bool = False


class CheckRelationPresence(Node):
    """Checks whether the originator has a relation.

    From: the relation leads from the originator; to: it leads to the originator. On the other side stands one certain entity,
    or any. True: there is such a relation. False: there is none.
    """

    TYPE = "org.thingsboard.rule.engine.filter.TbCheckRelationNode"
    NAME = "check relation presence"
    CATEGORY = Category.FILTER
    RELATIONS = (TRUE, FALSE)
    VERSION = 1
    CONFIG = CheckRelationPresenceConfig
    CONFIG_DIRECTIVE = "tbFilterNodeCheckRelationConfig"
    READS = frozenset({base.RELATIONS})

    def __init__(self, config: CheckRelationPresenceConfig, name: str = "") -> None:
        super().__init__(config, name)
        if config.direction not in _OTHER_WAY:
            raise ValueError(f"Unknown direction {config.direction[:40]!r}; expected FROM or TO.")
        if not config.relation_type.strip():
            raise ValueError("The relation type is empty; expected a text such as Contains.")
        self._other: EntityId | None = None
        if config.check_for_single_entity:
            if not config.entity_id or not config.entity_type:
                raise ValueError("Entity should be specified!")
            self._other = EntityId.from_json({"entityType": config.entity_type, "id": config.entity_id})

    def run(self, ctx: Context, messages: Sequence[Msg]) -> Sequence[Outcome]:
        """All originators are looked up at once."""
        config = self.config
        originators = {msg.originator for msg in messages}
        related = ctx.related(config.direction, config.relation_type, originators, self._other)
        return [Emit(TRUE if msg.originator in related else FALSE, msg) for msg in messages]

    @classmethod
    def upgrade(cls, version: int, raw: dict[str, Any]) -> dict[str, Any]:
        """In version 0 the directions had each other's meaning. Raises ValueError where there is none."""
        if version > 0:
            return raw
        direction = _OTHER_WAY.get(str(raw.get("direction")))
        if direction is None:
            raise ValueError(f"Unknown direction {str(raw.get('direction'))[:40]!r}; expected FROM or TO.")
        return {**raw, "direction": direction}
