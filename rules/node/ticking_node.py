"""What nodes that tick from their beginning have in common: one tick at a time, none that is out of date, none lost."""

from typing import ClassVar

from rules.node.base import Node
from rules.node.context import Context
from rules.node.later import TICK, Tick
from rules.node.message import Msg


class TickingNode(Node):
    """A node that is woken by `TICK_TYPE` every `period` ms. The chain's save arms the first tick, each tick the next one."""

    TICK_TYPE: ClassVar[str]

    period: int

    def begins(self, now: int) -> Tick | None:
        """One period after it was saved."""
        return Tick(now + self.period, self.TICK_TYPE)

    def is_due(self, ctx: Context, msg: Msg) -> bool:
        """Whether this is the tick that was armed last: the node may have begun anew while one was on its way."""
        return bool(ctx.later.state([TICK]).get(TICK) == msg.ts)

    def tick_again(self, ctx: Context, msg: Msg) -> None:
        """Arm the next one, a period after this one was due; where that is long past (nobody was there), from now on."""
        due, now = msg.ts + self.period, ctx.now()
        if due < now - self.period:
            due = now
        ctx.later.keep(TICK, due)
        ctx.later.wake(ctx.later.node, due, self.TICK_TYPE, keep=False)


def period_ms(seconds: int, name: str) -> int:
    """A period that was configured in seconds. Raises ValueError where it cannot be one."""
    if not 1 <= seconds <= 2**31 - 1:
        raise ValueError(f"{name} is {seconds}; expected a number of seconds from 1.")
    return seconds * 1000
