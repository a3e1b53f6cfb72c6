"""Clear alarm."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from rules.node import FALSE, Context, Emit, Msg, Outcome
from rules.node.alarm_node import AlarmConfig, AlarmNode, Details, told
from thingsboard.kernel.ids import EntityId, EntityType

# Of which entity, and of which type.
Pair = tuple[EntityId, str]


class ClearAlarmConfig(AlarmConfig, frozen=True):
    """The type of the alarm, with templates, and the script that makes its details."""


class ClearAlarm(AlarmNode):
    """Clears the active alarm of a type that the originator has.

    Cleared: a message of type ALARM goes on, whose body is the alarm and whose metadata has `isClearedAlarm`, and one of type
    ALARM_CLEAR goes through the rules from their beginning. False: there was
    nothing to clear, the message goes on as it is. Where the originator is an alarm itself, that one is cleared, whatever its
    type.

    The alarm's type may have templates. Details are what the script returns, any JSON; it finds those of the alarm in
    `metadata.prevAlarmDetails`, as text. The default script keeps them.
    """

    TYPE = "org.thingsboard.rule.engine.action.TbClearAlarmNode"
    NAME = "clear alarm"
    RELATIONS = ("Cleared", FALSE)
    CONFIG = ClearAlarmConfig
    CONFIG_DIRECTIVE = "tbActionNodeClearAlarmConfig"
    ICON = "notifications_off"

    def __init__(self, config: ClearAlarmConfig, name: str = "") -> None:
        super().__init__(config, name)
        self._use_script()

    def run(self, ctx: Context, messages: Sequence[Msg]) -> Sequence[Outcome]:
        """All alarms are loaded at once, and then each message decides by what those before it left."""
        themselves = {msg.originator.id for msg in messages if msg.originator.type is EntityType.ALARM}
        alarms = ctx.alarms.by_id(themselves) if themselves else {}
        pairs = [self._pair(msg, alarms) for msg in messages]
        wanted = {pair for pair in pairs if not isinstance(pair, Emit)}
        if wanted:
            ctx.alarms.load(wanted)
        details = self._built(ctx, _found(ctx, messages, pairs) if self._script else ())
        return [
            pair if isinstance(pair, Emit) else self._outcome(ctx, msg, pair, details)
            for msg, pair in zip(messages, pairs, strict=True)
        ]

    def _pair(self, msg: Msg, alarms: Mapping[uuid.UUID, dict[str, Any]]) -> Pair | Emit:
        """Which alarm is meant, or what becomes of a message that means none."""
        if msg.originator.type is EntityType.ALARM:
            alarm = alarms.get(msg.originator.id)
            if alarm is None:
                return Emit(FALSE, msg)
            return EntityId.from_json(alarm["originator"]), alarm["type"]
        try:
            return msg.originator, self._alarm_type(msg)
        except ValueError as error:
            return Emit.failure(msg, str(error))

    def _outcome(self, ctx: Context, msg: Msg, pair: Pair, built: Details) -> Outcome:
        originator, type = pair
        active = ctx.alarms.active(originator, type)
        if active is None:
            return Emit(FALSE, msg)
        if msg.originator.type is EntityType.ALARM and active.id != msg.originator.id:
            return Emit(FALSE, msg)  # a newer one of the same type; the message's own is cleared already
        try:
            details = built.of(msg, active.details)
        except ValueError as error:
            return Emit.failure(msg, str(error))
        result = ctx.alarms.clear(originator, type, details, ctx.now())
        if result is None:
            return Emit(FALSE, msg)
        return told(ctx, "Cleared", msg, result, "isClearedAlarm")


def _found(ctx: Context, messages: Sequence[Msg], pairs: Sequence[Pair | Emit]) -> list[tuple[Msg, Any]]:
    """The messages that find an alarm, and its details."""
    found = []
    for msg, pair in zip(messages, pairs, strict=True):
        active = None if isinstance(pair, Emit) else ctx.alarms.active(*pair)
        if active is not None:
            found.append((msg, active.details))
    return found
