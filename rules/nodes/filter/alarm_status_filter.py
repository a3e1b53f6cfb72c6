"""Alarm status filter."""

import enum
import uuid
from collections.abc import Sequence

from rules.node import FALSE, TRUE, Category, Config, Context, Emit, Msg, Node, Outcome
from rules.node.base import ALARMS
from thingsboard.kernel.ids import EntityId, EntityType


class Status(enum.StrEnum):
    """ThingsBoard's statuses of alarms."""

    ACTIVE_UNACK = "ACTIVE_UNACK"
    ACTIVE_ACK = "ACTIVE_ACK"
    CLEARED_UNACK = "CLEARED_UNACK"
    CLEARED_ACK = "CLEARED_ACK"


class AlarmStatusFilterConfig(Config, frozen=True):
    """The statuses that pass."""

    alarm_status_list: tuple[Status, ...] = (Status.ACTIVE_ACK, Status.ACTIVE_UNACK)


class AlarmStatusFilter(Node):
    """Checks the present status of the alarm that the message is about.

    The body is an alarm; what counts of it is its id, its status is looked up. True: the status is one of those in the list.
    False: it is another one. A body that is no alarm, or one of which nothing is known, leaves by Failure.
    """

    TYPE = "org.thingsboard.rule.engine.filter.TbCheckAlarmStatusNode"
    NAME = "alarm status filter"
    CATEGORY = Category.FILTER
    RELATIONS = (TRUE, FALSE)
    CONFIG = AlarmStatusFilterConfig
    CONFIG_DIRECTIVE = "tbFilterNodeCheckAlarmStatusConfig"
    READS = frozenset({ALARMS})

    def run(self, ctx: Context, messages: Sequence[Msg]) -> Sequence[Outcome]:
        """All alarms are looked up at once."""
        about: list[uuid.UUID | Emit] = [_alarm(msg) for msg in messages]
        ids = {each for each in about if isinstance(each, uuid.UUID)}
        alarms = ctx.alarms.by_id(ids) if ids else {}
        outcomes: list[Outcome] = []
        for msg, each in zip(messages, about, strict=True):
            if isinstance(each, Emit):
                outcomes.append(each)
            elif each not in alarms:
                outcomes.append(Emit.failure(msg, "No such alarm found."))
            else:
                outcomes.append(Emit(TRUE if alarms[each]["status"] in self.config.alarm_status_list else FALSE, msg))
        return outcomes


def _alarm(msg: Msg) -> uuid.UUID | Emit:
    """The id of the alarm in the body, or the Failure where there is none."""
    try:
        id = msg.data.members.get("id")
        return EntityId.from_json({"id": id} if isinstance(id, str) else id, EntityType.ALARM).id
    except ValueError as error:
        return Emit.failure(msg, f"The message body is not an alarm: {error}")
