"""Save attributes."""

from collections.abc import Sequence
from typing import Any, Final

from rules.node import SUCCESS, Category, Config, Context, Emit, Msg, Node, Outcome
from rules.node.base import ATTRIBUTES
from rules.node.message_types import POST_ATTRIBUTES
from rules.node.processing import ON_EVERY_MESSAGE, AdvancedAttributes, AttributesProcessing, Processing
from telemetry.json import attributes_from_json
from telemetry.points import Scope, Value

_ALL: Final = (True, True, True)
_TRUTH: Final = {"true": True, "false": False}


class SaveAttributesConfig(Config, frozen=True):
    """In which scope to save, who hears of it, and when to act."""

    NEW = {"updateAttributesOnlyOnValueChange": True}

    processing_settings: AttributesProcessing = ON_EVERY_MESSAGE
    scope: str = Scope.SERVER.json
    notify_device: bool = False
    send_attributes_updated_notification: bool = False
    update_attributes_only_on_value_change: bool = False


class SaveAttributes(Node):
    """Saves attributes of the originator.

    Expects messages of type POST_ATTRIBUTES_REQUEST; others leave by Failure. `scope` in the metadata replaces the node's. A
    body without a value changes nothing and leaves by Success.

    The node does three things: it writes the attributes, it tells live subscriptions, and it tells calculated fields. Each is
    done on every message, for the first message of an originator in an interval, or never. With "only if the value changes"
    what has the same value already is left alone. "Send attributes updated notification" lets a message of type
    ATTRIBUTES_UPDATED go through the rules, for shared and server attributes. The device hears of shared attributes with
    "force notification", or unless `notifyDevice` in the metadata is false.
    """

    TYPE = "org.thingsboard.rule.engine.telemetry.TbMsgAttributesNode"
    NAME = "save attributes"
    CATEGORY = Category.ACTION
    VERSION = 3
    CONFIG = SaveAttributesConfig
    CONFIG_DIRECTIVE = "tbActionNodeAttributesConfig"
    ICON = "file_upload"
    WRITES = frozenset({ATTRIBUTES})

    def __init__(self, config: SaveAttributesConfig, name: str = "") -> None:
        super().__init__(config, name)
        self._scope = Scope.of(config.scope)
        self._processing = Processing(config.processing_settings, AdvancedAttributes.ACTIONS)

    def run(self, ctx: Context, messages: Sequence[Msg]) -> Sequence[Outcome]:
        """Whether to act is decided for all messages that have something to save, and then each is saved."""
        outcomes: list[Outcome] = []
        parsed: list[tuple[int, Msg, dict[str, Value]]] = []
        stored = self.stored_by_ingest(POST_ATTRIBUTES)
        for index, msg in enumerate(messages):
            values = self._values(ctx, msg)
            if isinstance(values, Emit):
                outcomes.append(values)
            else:
                outcomes.append(Emit(SUCCESS, msg))
                if not (msg.stored and stored):
                    parsed.append((index, msg, values))
        if self._processing.always:
            flags: Sequence[tuple[bool, ...]] = [_ALL] * len(parsed)
        else:
            flags = self._processing.decide(ctx, [(msg.originator, msg.meta_ts) for _, msg, _ in parsed])
        self._look_up(ctx, parsed)
        for (index, msg, values), (store, live, fields) in zip(parsed, flags, strict=True):
            if store or live or fields:
                outcomes[index] = self._saved(ctx, msg, values, store, live, fields)
        return outcomes

    def stored_by_ingest(self, type: str) -> bool:
        """The client's attributes, where every one is saved that changes, and nobody but live subscriptions hears of it."""
        config = self.config
        quiet = self._scope is Scope.CLIENT and config.update_attributes_only_on_value_change
        return type == POST_ATTRIBUTES and quiet and self._processing.always

    def _look_up(self, ctx: Context, parsed: Sequence[tuple[int, Msg, dict[str, Value]]]) -> None:
        """Where changes alone are saved, what is there is asked for once; the context remembers it."""
        if self.config.update_attributes_only_on_value_change and parsed:
            names = {name for _, _, values in parsed for name in values}
            ctx.attributes(self._scope, names, {msg.originator for _, msg, _ in parsed})

    def _values(self, ctx: Context, msg: Msg) -> dict[str, Value] | Emit:
        """What to save, or what becomes of a message that has nothing."""
        if msg.type != POST_ATTRIBUTES:
            return Emit.failure(msg, f"Unsupported msg type: {msg.type}")
        try:
            return attributes_from_json(msg.data.raw, ctx.json_rules) or Emit(SUCCESS, msg)
        except ValueError as error:
            return Emit.failure(msg, str(error))

    def _saved(self, ctx: Context, msg: Msg, values: dict[str, Value], store: bool, live: bool, fields: bool) -> Emit:
        config = self.config
        try:
            named = msg.metadata.get("scope")
            scope = Scope.of(named) if named else self._scope
            ctx.save_attributes(
                msg.originator,
                scope,
                values,
                only_changes=config.update_attributes_only_on_value_change,
                notify_device=scope is Scope.SHARED and (config.notify_device or _wants_notice(msg)),
                announce={"scope": scope.json} if self._announces(scope) else None,
                store=store,
                live=live,
                fields=fields,
                ts=msg.ts,
            )
        except ValueError as error:
            return Emit.failure(msg, str(error))
        return Emit(SUCCESS, msg)

    def _announces(self, scope: Scope) -> bool:
        return self.config.send_attributes_updated_notification and scope is not Scope.CLIENT

    @classmethod
    def upgrade(cls, version: int, raw: dict[str, Any]) -> dict[str, Any]:
        """Before version 1 every value was written, before 2 truth values could be text and devices always heard, before 3
        nothing was left out.
        """
        new = dict(raw)
        if version < 1:
            new.setdefault("updateAttributesOnlyOnValueChange", False)
        if version < 2:
            for name, otherwise in (
                ("notifyDevice", True),
                ("sendAttributesUpdatedNotification", False),
                ("updateAttributesOnlyOnValueChange", True),
            ):
                value = new.get(name)
                new[name] = otherwise if value is None else value
                if isinstance(value, str):
                    new[name] = _TRUTH.get(value.strip(), otherwise)
        if version < 3:
            new["processingSettings"] = {"type": "ON_EVERY_MESSAGE"}
        return new


def _wants_notice(msg: Msg) -> bool:
    """Whether the metadata lets the device hear; what says nothing means yes."""
    said = msg.metadata.get("notifyDevice")
    return not said or said.lower() == "true"
