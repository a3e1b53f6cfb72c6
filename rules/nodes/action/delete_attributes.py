"""Delete attributes."""

from rules.node import SUCCESS, Category, Config, Context, Emit, Msg, Outcome
from rules.node.base import ATTRIBUTES
from rules.node.deed_node import DeedNode, tells
from rules.node.template import Template, fill_all
from telemetry.points import Scope


class DeleteAttributesConfig(Config, frozen=True):
    """Which attributes (names with templates) of which scope, and who hears of it."""

    scope: str = Scope.SERVER.json
    keys: tuple[str, ...] = ()
    send_attributes_deleted_notification: bool = False
    notify_device: bool = False


class DeleteAttributes(DeedNode):
    """Deletes attributes of the originator.

    `scope` in the metadata replaces the node's. Names may have templates; empty ones, and attributes that the originator does
    not have, count for nothing. "Send attributes deleted notification" lets a message of type ATTRIBUTES_DELETED go through the
    rules from their beginning. The device hears of shared attributes with "force notification", or where `notifyDevice` in
    the metadata is true.
    """

    TYPE = "org.thingsboard.rule.engine.telemetry.TbMsgDeleteAttributesNode"
    NAME = "delete attributes"
    CATEGORY = Category.ACTION
    CONFIG = DeleteAttributesConfig
    CONFIG_DIRECTIVE = "tbActionNodeDeleteAttributesConfig"
    ICON = "remove_circle"
    # Reads, too: what the same chain saves and deletes must happen in the order of the messages.
    READS = frozenset({ATTRIBUTES})
    WRITES = frozenset({ATTRIBUTES})

    def __init__(self, config: DeleteAttributesConfig, name: str = "") -> None:
        super().__init__(config, name)
        self._scope = Scope.of(config.scope)
        self._keys = [Template(key) for key in config.keys]

    def one(self, ctx: Context, msg: Msg) -> Outcome:
        """Without a name there is nothing to do."""
        keys = [key for key in dict.fromkeys(fill_all(self._keys, msg)) if key.strip()]
        if keys:
            named = msg.metadata.get("scope")
            scope = Scope.of(named) if named else self._scope
            said = msg.metadata.get("notifyDevice", "").lower() == "true"
            ctx.deeds.delete_attributes(
                msg.originator,
                scope,
                keys,
                notify_device=scope is Scope.SHARED and (self.config.notify_device or said),
                announce=self.config.send_attributes_deleted_notification and tells(msg),
            )
        return Emit(SUCCESS, msg)
