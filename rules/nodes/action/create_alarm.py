"""Create alarm."""

from collections.abc import Sequence
from typing import Any, Final

from rules.node import Context, Emit, Msg, Outcome
from rules.node.alarm_node import AlarmConfig, AlarmNode, told
from rules.node.context import AlarmWish
from rules.node.template import Template

SEVERITIES: Final = frozenset({"CRITICAL", "MAJOR", "MINOR", "WARNING", "INDETERMINATE"})
_EXPECTED = "expected CRITICAL, MAJOR, MINOR, WARNING or INDETERMINATE"


class CreateAlarmConfig(AlarmConfig, frozen=True):
    """What the alarm is like. `severity` has templates where `dynamicSeverity` is set."""

    severity: str = "CRITICAL"
    propagate: bool = False
    propagate_to_owner: bool = False
    propagate_to_tenant: bool = False
    use_message_alarm_data: bool = False
    overwrite_alarm_details: bool = True  # where it is missing; new nodes have false
    dynamic_severity: bool = False
    relation_types: tuple[str, ...] = ()


class CreateAlarm(AlarmNode):
    """Creates an alarm of the originator, or updates the active one of the same type.

    Created: there was none. Updated: the active one has the new severity, details and end. Either way a message of type ALARM
    goes on, whose body is the alarm and whose metadata has `isNewAlarm` or `isExistingAlarm`.

    The alarm's type may have templates, and with "dynamic severity" its severity, too. With "use message alarm data" the body
    is the alarm, and the node's own settings do not count. The default script keeps the details that the alarm has; other
    scripts come with a later release.
    """

    TYPE = "org.thingsboard.rule.engine.action.TbCreateAlarmNode"
    NAME = "create alarm"
    RELATIONS = ("Created", "Updated", "False")
    CONFIG = CreateAlarmConfig
    CONFIG_DIRECTIVE = "tbActionNodeCreateAlarmConfig"
    ICON = "notifications_active"

    def __init__(self, config: CreateAlarmConfig, name: str = "") -> None:
        super().__init__(config, name)
        if not config.dynamic_severity and config.severity not in SEVERITIES:
            raise ValueError(f"Incorrect Alarm Severity value: {config.severity[:40]!r}; {_EXPECTED}.")
        self._severity = Template(config.severity)

    def run(self, ctx: Context, messages: Sequence[Msg]) -> Sequence[Outcome]:
        """All alarms are loaded at once, and then each message decides by what those before it left."""
        wishes: list[AlarmWish | Emit] = [self._wish(ctx, msg) for msg in messages]
        wanted = {(wish.originator, wish.type) for wish in wishes if isinstance(wish, AlarmWish)}
        if wanted:
            ctx.alarms.load(wanted)
        return [
            wish if isinstance(wish, Emit) else self._outcome(ctx, msg, wish)
            for msg, wish in zip(messages, wishes, strict=True)
        ]

    def _wish(self, ctx: Context, msg: Msg) -> AlarmWish | Emit:
        config = self.config
        try:
            ts = msg.meta_ts
            return AlarmWish(
                originator=msg.originator,
                customer_id=msg.customer_id,
                type=self.alarm_type(msg),
                severity=self._severity_of(msg) if config.dynamic_severity else config.severity,
                details=None,
                start_ts=ts,
                end_ts=ts,
                propagate=config.propagate,
                propagate_to_owner=config.propagate_to_owner,
                propagate_to_tenant=config.propagate_to_tenant,
                relation_types=config.relation_types,
            )
        except ValueError as error:
            return Emit.failure(msg, str(error))

    def _outcome(self, ctx: Context, msg: Msg, wish: AlarmWish) -> Emit:
        active = ctx.alarms.active(wish.originator, wish.type)
        try:
            details = self._details(msg, None if active is None else active.get("details"))
        except ValueError as error:
            return Emit.failure(msg, f"The previous alarm details are not JSON: {error}")
        if active is None:
            wish = wish._replace(details=details)
        else:
            wish = wish._replace(details=details, start_ts=active["startTs"], end_ts=ctx.now())
        result = ctx.alarms.create(wish)
        if result.created:
            return told("Created", msg, result.json, "isNewAlarm")
        return told("Updated", msg, result.json, "isExistingAlarm")

    def _severity_of(self, msg: Msg) -> str:
        severity = self._severity.fill(msg)
        if severity not in SEVERITIES:
            raise ValueError(
                f"Used incorrect pattern or Alarm Severity not included in message: {severity[:40]!r}; {_EXPECTED}."
            )
        return severity

    @classmethod
    def defaults(cls) -> dict[str, Any]:
        """Details are the message's own where the message has the alarm."""
        return {**super().defaults(), "overwriteAlarmDetails": False}
