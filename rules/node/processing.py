"""When the save nodes act: on every message, on the first of an interval, or never (ThingsBoard's "processing settings")."""

from collections.abc import Callable, Sequence
from typing import ClassVar, Final

from rules.node.config import Config
from rules.node.context import Context
from thingsboard.kernel.ids import EntityId

SHORTEST_INTERVAL_S, LONGEST_INTERVAL_S = 1, 86_400

# Of each of the messages that are asked about, in their order: whether to act.
Decision = Callable[[Context, Sequence[tuple[EntityId, int]]], Sequence[bool]]


class Skip(Config, frozen=True, tag_field="type", tag="SKIP"):
    """Never."""


class OnEveryMessage(Config, frozen=True, tag_field="type", tag="ON_EVERY_MESSAGE"):
    """Always."""


class Deduplicate(Config, frozen=True, tag_field="type", tag="DEDUPLICATE"):
    """For the first message of an originator in each interval of that many seconds."""

    deduplication_interval_secs: int = 0


class WebSocketsOnly(Config, frozen=True, tag_field="type", tag="WEBSOCKETS_ONLY"):
    """Live subscriptions hear of it; nothing is stored."""


class AdvancedTimeSeries(Config, frozen=True, tag_field="type", tag="ADVANCED"):
    """Each action of "save time series" by itself."""

    ACTIONS: ClassVar[tuple[str, ...]] = ("timeseries", "latest", "web_sockets", "calculated_fields")

    timeseries: "Strategy" = OnEveryMessage()
    latest: "Strategy" = OnEveryMessage()
    web_sockets: "Strategy" = OnEveryMessage()
    calculated_fields: "Strategy" = OnEveryMessage()


class AdvancedAttributes(Config, frozen=True, tag_field="type", tag="ADVANCED"):
    """Each action of "save attributes" by itself."""

    ACTIONS: ClassVar[tuple[str, ...]] = ("attributes", "web_sockets", "calculated_fields")

    attributes: "Strategy" = OnEveryMessage()
    web_sockets: "Strategy" = OnEveryMessage()
    calculated_fields: "Strategy" = OnEveryMessage()


Strategy = Skip | OnEveryMessage | Deduplicate
TimeSeriesProcessing = OnEveryMessage | Deduplicate | WebSocketsOnly | AdvancedTimeSeries
AttributesProcessing = OnEveryMessage | Deduplicate | WebSocketsOnly | AdvancedAttributes

ON_EVERY_MESSAGE: Final = OnEveryMessage()


class Processing:
    """What to do for messages: one flag an action. `always` is true where every message has every action."""

    def __init__(self, settings: TimeSeriesProcessing | AttributesProcessing, actions: tuple[str, ...]) -> None:
        """`actions` in the order of the flags. Raises ValueError for an interval that cannot be one."""
        self.always = isinstance(settings, OnEveryMessage)
        self._count = len(actions)
        self._whole: Decision | None = None
        self._each: list[Decision] = []
        if isinstance(settings, WebSocketsOnly):
            self._each = [_always if action == "web_sockets" else _never for action in actions]
        elif isinstance(settings, AdvancedTimeSeries | AdvancedAttributes):
            self._each = [_decision(action, getattr(settings, action)) for action in actions]
        else:
            self._whole = _decision("all", settings)

    def decide(self, ctx: Context, asked: Sequence[tuple[EntityId, int]]) -> Sequence[tuple[bool, ...]]:
        """The flags for each (originator, ms), in the order in which they came."""
        if self._whole is not None:
            return [(flag,) * self._count for flag in self._whole(ctx, asked)]
        return list(zip(*(decision(ctx, asked) for decision in self._each), strict=True))


def _always(ctx: Context, asked: Sequence[tuple[EntityId, int]]) -> Sequence[bool]:
    return [True] * len(asked)


def _never(ctx: Context, asked: Sequence[tuple[EntityId, int]]) -> Sequence[bool]:
    return [False] * len(asked)


def _decision(action: str, strategy: Skip | OnEveryMessage | Deduplicate) -> Decision:
    if isinstance(strategy, Skip):
        return _never
    if isinstance(strategy, OnEveryMessage):
        return _always
    seconds = strategy.deduplication_interval_secs
    if not SHORTEST_INTERVAL_S <= seconds <= LONGEST_INTERVAL_S:
        raise ValueError(
            f"The deduplication interval is {seconds} s; expected {SHORTEST_INTERVAL_S} to {LONGEST_INTERVAL_S} s."
        )
    return lambda ctx, asked: ctx.first_in_interval(action, asked, seconds)
