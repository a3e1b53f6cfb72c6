"""Message count."""

import uuid
from collections.abc import Sequence
from typing import Final

from rules.node import AT_ONCE, CONSUMED, Body, Category, Config, Context, Msg, Outcome, Wait
from rules.node.message_types import MESSAGE_COUNT_TICK, POST_TELEMETRY
from rules.node.ticking_node import TickingNode, period_ms
from thingsboard.kernel.ids import EntityId, EntityType

COUNT: Final = "count"


class MessageCountConfig(Config, frozen=True):
    """What the key begins with, and the interval in seconds."""

    NEW = {"interval": 1, "telemetryPrefix": "messageCount"}

    telemetry_prefix: str = ""
    interval: int = 0


class MessageCount(TickingNode):
    """Counts messages, and tells how many there were in each interval.

    Messages that arrive are counted and done. After every interval a message of type POST_TELEMETRY_REQUEST goes on by Success,
    whose originator is the tenant: its key is the prefix and the name of the platform (`TB_SERVICE_ID`), its value how many
    messages came. `delta` in the metadata says for how many milliseconds that is.

    One count is kept for all rules workers, and a restart loses none of it.
    """

    TYPE = "org.thingsboard.rule.engine.action.TbMsgCountNode"
    NAME = "message count"
    CATEGORY = Category.ACTION
    CONFIG = MessageCountConfig
    CONFIG_DIRECTIVE = "tbActionNodeMsgCountConfig"
    ICON = "functions"
    TICK_TYPE = MESSAGE_COUNT_TICK
    WAKES = frozenset({MESSAGE_COUNT_TICK})

    def __init__(self, config: MessageCountConfig, name: str = "") -> None:
        super().__init__(config, name)
        self.period = period_ms(config.interval, "interval")

    def run(self, ctx: Context, messages: Sequence[Msg]) -> Sequence[Outcome]:
        """Messages are added up before they are written."""
        outcomes: list[Outcome] = []
        counted = 0
        for msg in messages:
            if msg.type != MESSAGE_COUNT_TICK:
                counted += 1
                outcomes.append(CONSUMED)
                continue
            if counted:
                ctx.later.add(COUNT, counted)
                counted = 0
            outcomes.append(self._told(ctx, msg) if self.is_due(ctx, msg) else CONSUMED)
        if counted:
            ctx.later.add(COUNT, counted)
        return outcomes

    def _told(self, ctx: Context, tick: Msg) -> Outcome:
        now = ctx.now()
        count = int(ctx.later.state([COUNT]).get(COUNT, 0))
        ctx.later.add(COUNT, -count)  # by others it may have been added to meanwhile
        self.tick_again(ctx, tick)
        body = Body.of({f"{self.config.telemetry_prefix}_{ctx.later.service_id}": count})
        metadata = {"delta": str(now - tick.ts + self.period)}
        tenant = EntityId(EntityType.TENANT, ctx.tenant_id)
        return Wait(Msg(uuid.uuid4().bytes, now, POST_TELEMETRY, tenant, None, metadata, body, tick.queue), AT_ONCE)
