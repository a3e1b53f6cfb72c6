"""Calculate delta."""

import math
import re
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from decimal import Context as Precision
from typing import Any, Final, NamedTuple

from rules.node import SUCCESS, Category, Config, Context, Emit, Msg, Node, Outcome
from rules.node.base import TELEMETRY
from rules.node.message_types import OTHER, POST_TELEMETRY
from telemetry.points import Json, Point
from thingsboard.kernel.ids import EntityId

MOST_DECIMALS: Final = 15

# A double has at most 309 digits before its point, and 17 that count.
_EXACT = Precision(prec=400)
_INT64 = range(-(2**63), 2**63)
# What Java's Double.parseDouble takes, without hexadecimal numbers.
_DOUBLE = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?[dDfF]?", re.ASCII)


class Last(NamedTuple):
    """The value before, when it was (ms), and the newest time (ms) of which was known when that was remembered."""

    ts: int
    value: float
    newest: int


class CalculateDeltaConfig(Config, frozen=True):
    """Which member of the body is compared with its value before, and where what is found goes."""

    NEW = {"useCache": True, "tellFailureIfDeltaIsNegative": True}

    input_value_key: str = "pulseCounter"
    output_value_key: str = "delta"
    use_cache: bool = False
    add_period_between_msgs: bool = False
    period_value_key: str = "periodInMs"
    round: int | None = None
    tell_failure_if_delta_is_negative: bool = False
    exclude_zero_deltas: bool = False


class CalculateDelta(Node):
    """Adds to a reading by how much it differs from the reading before.

    Takes telemetry that has the input key; everything else leaves by Other. The difference goes into the body under the output
    key, rounded where that is wanted, and the time (ms) between the two readings under the period's. The first reading differs
    by 0. A negative difference leaves by Failure, if wanted; with "exclude zero deltas" a reading that differs by 0 goes on as
    it is.

    The reading before is the latest value that is stored. With a cache it is the one that this node saw last, whether that is
    stored or not; of an originator that it has not seen since the start, and where another one was stored since, it is the
    stored one.
    """

    TYPE = "org.thingsboard.rule.engine.metadata.CalculateDeltaNode"
    NAME = "calculate delta"
    CATEGORY = Category.ENRICHMENT
    RELATIONS = (SUCCESS, OTHER)
    VERSION = 1
    CONFIG = CalculateDeltaConfig
    CONFIG_DIRECTIVE = "tbEnrichmentNodeCalculateDeltaConfig"
    READS = frozenset({TELEMETRY})

    def __init__(self, config: CalculateDeltaConfig, name: str = "") -> None:
        super().__init__(config, name)
        if not config.input_value_key.strip():
            raise ValueError("Input value key should be specified!")
        if not config.output_value_key.strip():
            raise ValueError("Output value key should be specified!")
        if config.add_period_between_msgs and not config.period_value_key.strip():
            raise ValueError("Period value key should be specified!")
        if config.round is not None and not 0 <= config.round <= MOST_DECIMALS:
            raise ValueError(f"round is {config.round}; expected 0 to {MOST_DECIMALS} decimals.")
        self._step = None if config.round is None else Decimal(1).scaleb(-config.round)

    def run(self, ctx: Context, messages: Sequence[Msg]) -> Sequence[Outcome]:
        """All values before are asked for at once; each message of an originator is the one before its next."""
        key, cached = self.config.input_value_key, self.config.use_cache
        mine = [self._is_reading(msg) for msg in messages]
        originators = {msg.originator for msg, reading in zip(messages, mine, strict=True) if reading}
        if not originators:
            return [Emit(OTHER, msg) for msg in messages]
        stored = {each: found.get(key) for each, found in ctx.latest([key], originators).items()}
        seen: dict[EntityId, Last] = dict(ctx.look.remembered(key, originators)) if cached else {}
        fresh: dict[EntityId, Last] = {}
        outcomes: list[Outcome] = []
        for msg, reading in zip(messages, mine, strict=True):
            if not reading:
                outcomes.append(Emit(OTHER, msg))
                continue
            try:
                before = _before(seen.get(msg.originator), stored.get(msg.originator), msg.meta_ts, key)
                value = as_double(msg.data.members[key])
                if cached:
                    newest = msg.meta_ts if before is None else max(msg.meta_ts, before.newest)
                    seen[msg.originator] = fresh[msg.originator] = Last(msg.meta_ts, value, newest)
                outcomes.append(Emit(SUCCESS, self._enriched(msg, value, before)))
            except ValueError as error:
                outcomes.append(Emit.failure(msg, str(error)))
        for originator, last in fresh.items():
            ctx.look.remember(key, originator, last)
        return outcomes

    def _is_reading(self, msg: Msg) -> bool:
        if msg.type != POST_TELEMETRY:
            return False
        body = msg.data.value
        return isinstance(body, dict) and self.config.input_value_key in body

    def _enriched(self, msg: Msg, value: float, before: Last | None) -> Msg:
        config = self.config
        difference = 0.0 if before is None else value - before.value
        if config.tell_failure_if_delta_is_negative and difference < 0:
            raise ValueError("Delta value is negative!")
        if config.exclude_zero_deltas and difference == 0:
            return msg
        more: dict[str, Any] = {config.output_value_key: self._rounded(difference)}
        if config.add_period_between_msgs:
            more[config.period_value_key] = 0 if before is None else msg.meta_ts - before.ts
        return msg.with_data({**msg.data.members, **more})

    def _rounded(self, difference: float) -> int | float:
        """A whole number where it is one. Raises ValueError where it has no room in 64 bits."""
        if not math.isfinite(difference):
            raise ValueError("The difference is larger than a double can hold.")
        exact = Decimal(repr(difference))
        if self._step is not None:
            exact = exact.quantize(self._step, ROUND_HALF_UP, _EXACT)
        if exact != exact.to_integral_value():
            return float(exact)
        if int(exact) not in _INT64:
            raise ValueError(f"The difference {difference:g} does not fit into 64 bits.")
        return int(exact)

    @classmethod
    def upgrade(cls, version: int, raw: dict[str, Any]) -> dict[str, Any]:
        """Version 0 did not know `excludeZeroDeltas`."""
        return raw if version > 0 else {"excludeZeroDeltas": False, **raw}


def _before(seen: Last | None, point: Point | None, ts: int, key: str) -> Last | None:
    """What a value of the time `ts` (ms) is compared with: what the node saw, unless a value that it did not see, of another
    worker say, was stored since. Raises ValueError where the stored one is no number.
    """
    if point is None or point.value is None:
        return seen
    if seen is not None and not seen.newest < point.ts < ts:
        return seen
    return Last(point.ts, _stored(point.value, key), point.ts)


def _stored(value: Any, key: str) -> float:
    """A stored value as a number. Raises ValueError with ThingsBoard's sentences."""
    if isinstance(value, bool):
        raise ValueError("Calculation failed. Boolean values are not supported!")
    if isinstance(value, Json):
        raise ValueError("Calculation failed. JSON values are not supported!")
    number = _parsed(value) if isinstance(value, str) else float(value)
    if number is None:
        raise ValueError(f"Calculation failed. Unable to parse value [{value[:40]}] of telemetry [{key}] to Double")
    return number


def as_double(value: Any) -> float:
    """A member of a body as Jackson's asDouble has it: truth values are 1 and 0, what is no number is 0."""
    if isinstance(value, int | float):
        return float(value)
    return (_parsed(value) or 0.0) if isinstance(value, str) else 0.0


def _parsed(text: str) -> float | None:
    text = text.strip()
    return float(text.rstrip("dDfF")) if _DOUBLE.fullmatch(text) else None
