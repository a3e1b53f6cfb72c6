"""Delay."""

from collections.abc import Sequence

from rules.node import Category, Config, Context, Emit, Msg, Node, Outcome, Wait
from rules.node.template import Template

FULL = "Max limit of pending messages reached!"


class DelayConfig(Config, frozen=True):
    """For how long, as a number or as a template, and how many messages may wait."""

    NEW = {"periodInSeconds": 60, "maxPendingMsgs": 1000}

    period_in_seconds: int = 0
    max_pending_msgs: int = 0
    period_in_seconds_pattern: str | None = None
    use_metadata_period_in_seconds_patterns: bool = False


class Delay(Node):
    """Holds each message back for some time.

    The message is done when it begins to wait, and goes on by Success when its time has come, in the queue in which it came.
    It waits in the database: a restart loses nothing. The period is a number of seconds, or a template such as `${delay}` or
    `$[delay]` that gives one. Where as many messages wait as may, further ones leave by Failure.

    Messages of an originator that wait for the same time leave in their order. Nothing is held up by a message that waits.
    """

    TYPE = "org.thingsboard.rule.engine.delay.TbMsgDelayNode"
    NAME = "delay (deprecated)"
    CATEGORY = Category.ACTION
    CONFIG = DelayConfig
    CONFIG_DIRECTIVE = "tbActionNodeMsgDelayConfig"
    ICON = "pause"

    def __init__(self, config: DelayConfig, name: str = "") -> None:
        super().__init__(config, name)
        self._pattern = Template(config.period_in_seconds_pattern or "")

    def run(self, ctx: Context, messages: Sequence[Msg]) -> Sequence[Outcome]:
        """How many wait is asked once for all."""
        room = self.config.max_pending_msgs - ctx.later.waiting()
        outcomes: list[Outcome] = []
        for msg in messages:
            outcome = self._one(ctx.now(), msg) if room > 0 else Emit.failure(msg, FULL)
            room -= isinstance(outcome, Wait)
            outcomes.append(outcome)
        return outcomes

    def _one(self, now: int, msg: Msg) -> Wait | Emit:
        try:
            return Wait(msg, now + max(0, self._seconds(msg)) * 1000)
        except ValueError as error:
            return Emit.failure(msg, str(error))

    def _seconds(self, msg: Msg) -> int:
        """Raises ValueError."""
        if not self.config.use_metadata_period_in_seconds_patterns:
            return int(self.config.period_in_seconds)
        text = self._pattern.fill(msg)
        try:
            seconds = int(text)
        except ValueError:
            seconds = LONGEST_S + 1
        if abs(seconds) > LONGEST_S:
            raise ValueError(
                f"Can't parse period in seconds from metadata using pattern: {self._pattern.text}. It gives {text[:40]!r}; "
                "expected a whole number of seconds."
            )
        return seconds


LONGEST_S = 2**31 - 1
