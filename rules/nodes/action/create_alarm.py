"""Create alarm."""

import uuid
from collections.abc import Sequence
from typing import Any, NamedTuple

from rules.node import Context, Emit, Msg, Outcome
from rules.node.alarm_node import AlarmConfig, AlarmNode, Details, checked_type, told
from rules.node.context import ActiveAlarm, AlarmResult, AlarmWish
from rules.node.message_alarm import MessageAlarm, Severity
from rules.node.scripts import TBEL
from rules.node.template import Template
from thingsboard.kernel.ids import EntityId


class CreateAlarmConfig(AlarmConfig, frozen=True):
    """What the alarm is like. `severity` has templates where `dynamicSeverity` is set."""

    NEW = {"scriptLang": TBEL, "overwriteAlarmDetails": False}

    severity: str = Severity.CRITICAL.value
    propagate: bool = False
    propagate_to_owner: bool = False
    propagate_to_tenant: bool = False
    use_message_alarm_data: bool = False
    overwrite_alarm_details: bool = True
    dynamic_severity: bool = False
    relation_types: tuple[str, ...] = ()


class _Demand(NamedTuple):
    """What a message asks for: an alarm of this type, of its originator, or a new one of `owner`."""

    type: str
    severity: str
    owner: EntityId | None = None
    brought: MessageAlarm | None = None


class CreateAlarm(AlarmNode):
    """Creates an alarm of the originator, or updates the active one of the same type.

    Created: there was none. Updated: the active one has the new severity, details and end. Either way a message of type ALARM
    goes on, whose body is the alarm and whose metadata has `isNewAlarm` or `isExistingAlarm`. Of a new alarm, and of another
    severity, a message of type ENTITY_CREATED or ENTITY_UPDATED goes through the rules from their beginning, too.

    The alarm's type may have templates, and with "dynamic severity" its severity, too. With "use message alarm data" the body
    is the alarm: its type, severity, details, propagation and times count instead of the node's. Details are what the
    script returns, any JSON; it finds those of the active alarm in `metadata.prevAlarmDetails`, as text. The default script
    keeps them.

    An alarm that begins later than now, as a device's clock was ahead, also ends then: ThingsBoard has every message fail that
    finds one.
    """

    TYPE = "org.thingsboard.rule.engine.action.TbCreateAlarmNode"
    NAME = "create alarm"
    RELATIONS = ("Created", "Updated", "False")
    CONFIG = CreateAlarmConfig
    CONFIG_DIRECTIVE = "tbActionNodeCreateAlarmConfig"
    ICON = "notifications_active"

    def __init__(self, config: CreateAlarmConfig, name: str = "") -> None:
        super().__init__(config, name)
        self._severity = Template(config.severity)
        if not config.dynamic_severity:
            Severity.of(config.severity)
        self._builds_details = not config.use_message_alarm_data or config.overwrite_alarm_details
        if self._builds_details:
            self._use_script()
        # What every message asks for, where messages have no say in it.
        self._always: _Demand | None = None
        if self._type.constant and not config.use_message_alarm_data and not config.dynamic_severity:
            self._always = _Demand(config.alarm_type, config.severity)

    def run(self, ctx: Context, messages: Sequence[Msg]) -> Sequence[Outcome]:
        """All alarms are loaded at once, and then each message decides by what those before it left."""
        if self._always is not None and self._script is None:
            return self._alike(ctx, messages, self._always)
        demands = [self._always or self._demand(msg) for msg in messages]
        wishing = [(msg, demand) for msg, demand in zip(messages, demands, strict=True) if isinstance(demand, _Demand)]
        others = {demand.owner for _, demand in wishing if demand.owner is not None}
        owners = {entity: known.customer_id for entity, known in ctx.describe(others).items()} if others else {}
        wanted = {(msg.originator, demand.type) for msg, demand in wishing}
        wanted |= {(demand.owner, demand.type) for _, demand in wishing if demand.owner in owners}
        if wanted:
            ctx.alarms.load(wanted)
        details = self._built(ctx, [(msg, _previous(ctx, msg, demand)) for msg, demand in wishing if self._script])
        return [
            self._outcome(ctx, msg, demand, owners, details) if isinstance(demand, _Demand) else demand
            for msg, demand in zip(messages, demands, strict=True)
        ]

    def _alike(self, ctx: Context, messages: Sequence[Msg], demand: _Demand) -> Sequence[Outcome]:
        """Where every message asks for the same, the second one that finds an alarm changes nothing of it: it ends at the
        batch's present already.
        """
        ctx.alarms.load({(each, demand.type) for each in {msg.originator for msg in messages}})
        details = self._built(ctx, ())
        as_it_is: dict[EntityId, AlarmResult] = {}
        outcomes: list[Outcome] = []
        for msg in messages:
            found = as_it_is.get(msg.originator)
            if found is None:
                became = self._raised(ctx, msg, demand, {}, details)
                if isinstance(became, Emit):
                    outcomes.append(became)
                    continue
                found = became
                # Details that are not there might be brought by the next message.
                if not found.created and _previous(ctx, msg, demand) is not None:
                    as_it_is[msg.originator] = AlarmResult(found.body)
            outcomes.append(_told(ctx, msg, found))
        return outcomes

    def _demand(self, msg: Msg) -> _Demand | Emit:
        try:
            if self.config.use_message_alarm_data:
                alarm = MessageAlarm.of(msg)
                owner = alarm.owner()
                return _Demand(
                    checked_type(alarm.type), alarm.severity.value, None if owner == msg.originator else owner, alarm
                )
            severity = self._severity.text
            if self.config.dynamic_severity:
                severity = Severity.of(self._severity.fill(msg)).value
            return _Demand(self._alarm_type(msg), severity)
        except ValueError as error:
            return Emit.failure(msg, str(error))

    def _outcome(
        self, ctx: Context, msg: Msg, demand: _Demand, owners: dict[EntityId, uuid.UUID | None], built: Details
    ) -> Outcome:
        result = self._raised(ctx, msg, demand, owners, built)
        return result if isinstance(result, Emit) else _told(ctx, msg, result)

    def _raised(
        self, ctx: Context, msg: Msg, demand: _Demand, owners: dict[EntityId, uuid.UUID | None], built: Details
    ) -> AlarmResult | Emit:
        """What becomes of the alarm, or the message's Failure."""
        active = ctx.alarms.active(msg.originator, demand.type)
        try:
            wish = self._wish(ctx, msg, demand, active, built)
        except ValueError as error:
            return Emit.failure(msg, str(error))
        owner = demand.owner
        if owner is not None and active is None:
            if owner not in owners:
                return Emit.failure(msg, f"The originator of the alarm was not found: {owner.type.value} {owner.id}.")
            wish = wish._replace(originator=owner, customer_id=owners[owner])
        return ctx.alarms.create(wish)

    def _wish(self, ctx: Context, msg: Msg, demand: _Demand, active: ActiveAlarm | None, built: Details) -> AlarmWish:
        """For the message's originator. Raises ValueError where details cannot be made."""
        config, alarm = self.config, demand.brought
        if self._builds_details:
            details = built.of(msg, active.details if active else None)
        else:
            details = None if alarm is None else alarm.details
        if active is not None:
            start, end = active.start_ts, max(active.start_ts, ctx.now())
        elif alarm is not None:
            start = alarm.start_ts or ctx.now()
            end = alarm.end_ts or start
        else:
            start = end = msg.meta_ts
        source = config if alarm is None else alarm
        types = config.relation_types if alarm is None else alarm.propagate_relation_types or ()
        return AlarmWish(
            msg.originator,
            msg.customer_id,
            demand.type,
            demand.severity,
            details,
            start,
            end,
            source.propagate,
            source.propagate_to_owner,
            source.propagate_to_tenant,
            types,
        )


def _told(ctx: Context, msg: Msg, result: AlarmResult) -> Emit:
    if result.created:
        return told(ctx, "Created", msg, result, "isNewAlarm")
    return told(ctx, "Updated", msg, result, "isExistingAlarm")


def _previous(ctx: Context, msg: Msg, demand: _Demand) -> Any:
    """The details of the alarm that the message finds."""
    active = ctx.alarms.active(msg.originator, demand.type)
    return None if active is None else active.details
