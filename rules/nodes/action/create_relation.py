"""Create relation."""

from rules.node import SUCCESS, Context, Emit, Msg, Outcome
from rules.node.deed_node import tells
from rules.node.relation_node import RelationConfig, RelationNode
from thingsboard.kernel.ids import EntityType


class CreateRelationConfig(RelationConfig, frozen=True):
    """Which relation, whether its other end is made where there is none, and what else is done."""

    create_entity_if_not_exists: bool = False
    change_originator_to_related_entity: bool = False
    remove_current_relations: bool = False


class CreateRelation(RelationNode):
    """Relates the originator to another entity, which is found by its name.

    From: the relation leads from the originator; to: it leads to the originator. The other entity is a device, an asset, an
    entity view, a customer or dashboard (by title), a user (by email) or the tenant; its name and the relation's type may
    have templates. Success: the relation is there, new or not.

    A device, asset or customer that does not exist is made with "create new entity if it doesn't exist", devices and assets of
    the profile of the given name, and a message of type ENTITY_CREATED goes through the rules from their beginning; else the
    message leaves by Failure. "Remove current relations" first deletes the originator's relations of that type in that
    direction. "Change originator to target entity" lets the message go on as one of the other entity.
    """

    TYPE = "org.thingsboard.rule.engine.action.TbCreateRelationNode"
    NAME = "create relation"
    CONFIG = CreateRelationConfig
    CONFIG_DIRECTIVE = "tbActionNodeCreateRelationConfig"
    ICON = "add_circle"

    def __init__(self, config: CreateRelationConfig, name: str = "") -> None:
        super().__init__(config, name)
        self._kind = self._supported()

    def one(self, ctx: Context, msg: Msg) -> Outcome:
        """All of it or nothing."""
        config = self.config
        other = ctx.deeds.relate(
            msg.originator,
            config.direction,
            self._relation_type.fill(msg),
            self._target(self._kind, msg, create=config.create_entity_if_not_exists),
            replace=config.remove_current_relations,
            announce=tells(msg),
        )
        if config.change_originator_to_related_entity:
            owner = other.id if other.type is EntityType.CUSTOMER else None
            msg = msg.with_originator(other, msg.customer_id or owner)
        return Emit(SUCCESS, msg)
