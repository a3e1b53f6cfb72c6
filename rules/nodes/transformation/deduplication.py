"""Deduplication."""

import enum
import uuid
from collections.abc import Sequence
from typing import Any

import orjson

from rules.node import AT_ONCE, CONSUMED, SUCCESS, Body, Category, Config, Context, Emit, Msg, Node, Outcome, Wait
from rules.node.message_types import DEDUPLICATION_TICK


class Strategy(enum.StrEnum):
    """ThingsBoard's names of what becomes of the messages of an interval."""

    FIRST = "FIRST"
    LAST = "LAST"
    ALL = "ALL"


class DeduplicationConfig(Config, frozen=True):
    """The interval in seconds, what becomes of its messages, and how many of an originator may wait."""

    NEW = {"interval": 60, "maxPendingMsgs": 100, "maxRetries": 3}

    interval: int = 0
    strategy: Strategy = Strategy.FIRST
    out_msg_type: str | None = None
    max_pending_msgs: int = 0
    max_retries: int = 0


class Deduplication(Node):
    """Makes one message of all that an originator sends in an interval.

    A message is done when it is held back, and is held back in the database: a restart loses none. An interval begins with the
    oldest message that is held back, by the `ts` of the metadata or else by the time at which it came, and is looked at one
    interval after the first message came.

    FIRST and LAST: the oldest or the newest message goes on by Success as it is. ALL: one message goes on whose body is an
    array of `{"msg": ..., "metadata": ...}`, of the type that is configured, with nothing but `ts` in its metadata. They go to
    the node's queue, or else to that in which they came; what is made of all goes to Main then.

    Where as many messages of an originator are held back as may be, further ones leave by Failure. `maxRetries` means nothing:
    what goes on is in the queue with the same commit.
    """

    TYPE = "org.thingsboard.rule.engine.deduplication.TbMsgDeduplicationNode"
    NAME = "deduplication"
    CATEGORY = Category.TRANSFORMATION
    VERSION = 1
    CONFIG = DeduplicationConfig
    CONFIG_DIRECTIVE = "tbTransformationNodeDeduplicationConfig"
    ICON = "content_copy"
    HAS_QUEUE_NAME = True
    WAKES = frozenset({DEDUPLICATION_TICK})

    def __init__(self, config: DeduplicationConfig, name: str = "") -> None:
        super().__init__(config, name)
        if config.strategy is Strategy.ALL and not (config.out_msg_type or "").strip():
            raise ValueError(
                "outMsgType is missing; expected the type of the message that is made of all of an interval."
            )
        self._interval = config.interval * 1000

    def run(self, ctx: Context, messages: Sequence[Msg]) -> Sequence[Outcome]:
        """What is held back of those that are woken is taken at once; of the others it is only counted."""
        woken = {msg.originator for msg in messages if msg.type == DEDUPLICATION_TICK}
        others = {msg.originator for msg in messages} - woken
        piles = {entity: list(found) for entity, found in (ctx.later.take(woken) if woken else {}).items()}
        counts = dict(ctx.later.held(others)) if others else {}
        outcomes: list[Outcome] = []
        kept: list[Msg] = []
        for msg in messages:
            if msg.type == DEDUPLICATION_TICK:
                outcomes.append(self._woken(ctx, msg, piles.setdefault(msg.originator, [])))
                continue
            pile = piles.get(msg.originator)
            count = counts.get(msg.originator, 0) if pile is None else len(pile)
            if count >= self.config.max_pending_msgs:
                outcomes.append(self._full(ctx, msg))
                continue
            if pile is None and msg.originator not in woken:
                kept.append(msg)
                counts[msg.originator] = count + 1
            else:
                piles.setdefault(msg.originator, []).append(msg)
            outcomes.append(CONSUMED)
            ctx.later.wake(msg.originator, ctx.now() + self._interval + 1, DEDUPLICATION_TICK)
        kept += [msg for pile in piles.values() for msg in pile]
        if kept:
            ctx.later.hold(kept)
        return outcomes

    def _full(self, ctx: Context, msg: Msg) -> Emit:
        where = ctx.later.node.id
        return Emit.failure(
            msg, f"[{where}] Max limit of pending messages reached for deduplication id: [{msg.originator.id}]"
        )

    def _woken(self, ctx: Context, tick: Msg, pile: list[Msg]) -> Outcome:
        """What goes on, oldest interval first; what is too young stays in the pile, and is looked at an interval later."""
        now, going = ctx.now(), list[Wait]()
        while pile:
            start = min(msg.meta_ts for msg in pile)
            end = start + self._interval
            if end > now:
                ctx.later.wake(tick.originator, now + self._interval + 1, DEDUPLICATION_TICK)
                break
            pack = [msg for msg in pile if start <= msg.meta_ts < end] or pile[:1]
            going.append(Wait(self._made(tick, pack, now), AT_ONCE, SUCCESS))
            ids = {id(msg) for msg in pack}
            pile[:] = [msg for msg in pile if id(msg) not in ids]
        return tuple(going)

    def _made(self, tick: Msg, pack: Sequence[Msg], now: int) -> Msg:
        if self.config.strategy is Strategy.ALL:
            body = Body.of([{"msg": _said(msg), "metadata": dict(msg.metadata)} for msg in pack])
            return Msg(
                uuid.uuid4().bytes, now, str(self.config.out_msg_type), tick.originator, pack[-1].customer_id,
                {"ts": str(now)}, body, self.queue_name or "Main",
            )  # fmt: skip
        first = self.config.strategy is Strategy.FIRST
        chosen = min(pack, key=_when) if first else max(pack, key=_when)
        return chosen._replace(queue=self.queue_name or chosen.queue)

    @classmethod
    def upgrade(cls, version: int, raw: dict[str, Any]) -> dict[str, Any]:
        """Version 0 had the name of the queue in its configuration."""
        return {key: value for key, value in raw.items() if key != "queueName"}


def _when(msg: Msg) -> int:
    return msg.meta_ts


def _said(msg: Msg) -> Any:
    """The body, as text where it is not JSON."""
    try:
        return msg.data.value
    except orjson.JSONDecodeError:
        return msg.data.raw.decode(errors="replace")
