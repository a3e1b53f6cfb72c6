"""Delete relation."""

from rules.node import SUCCESS, Context, Emit, Msg, Outcome
from rules.node.relation_node import RelationConfig, RelationNode
from thingsboard.kernel.ids import EntityType


class DeleteRelationConfig(RelationConfig, frozen=True):
    """Which relations: all of a type in a direction, or the one with a certain entity."""

    delete_for_single_entity: bool = False


class DeleteRelation(RelationNode):
    """Deletes relations of the originator.

    From: relations that lead from the originator; to: those that lead to it. With "delete relation with specific entity" the
    one with an entity that is found by its name, as in the node create relation; without it all of that type and direction.
    Success also where there is none. An entity that does not exist is a Failure.
    """

    TYPE = "org.thingsboard.rule.engine.action.TbDeleteRelationNode"
    NAME = "delete relation"
    CONFIG = DeleteRelationConfig
    CONFIG_DIRECTIVE = "tbActionNodeDeleteRelationConfig"
    ICON = "remove_circle"

    def __init__(self, config: DeleteRelationConfig, name: str = "") -> None:
        super().__init__(config, name)
        self._kind: EntityType | None = self._supported() if config.delete_for_single_entity else None

    def one(self, ctx: Context, msg: Msg) -> Outcome:
        """All or one."""
        target = None if self._kind is None else self._target(self._kind, msg)
        ctx.deeds.unrelate(msg.originator, self.config.direction, self._relation_type.fill(msg), target)
        return Emit(SUCCESS, msg)
