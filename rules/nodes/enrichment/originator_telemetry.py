"""Originator telemetry."""

import re
from collections.abc import Sequence
from typing import Any, Final

from rules.node import SUCCESS, Category, Config, Context, Emit, Msg, Node, Outcome
from rules.node.base import TELEMETRY
from rules.node.lookups import Sampling, Window
from rules.node.template import Template, java_text
from telemetry.json import typed
from telemetry.points import Aggregation, Point
from thingsboard.kernel.encoding import json_bytes

LARGEST_LIMIT: Final = 1000  # points of a key

_FIRST, _LAST, _ALL = "FIRST", "LAST", "ALL"
_ORDERS: Final = ("ASC", "DESC")
# In nanoseconds, by Java's names.
_UNITS: Final = {
    "NANOSECONDS": 1,
    "MICROSECONDS": 1_000,
    "MILLISECONDS": 1_000_000,
    "SECONDS": 10**9,
    "MINUTES": 60 * 10**9,
    "HOURS": 3600 * 10**9,
    "DAYS": 86_400 * 10**9,
}
# What Java's NumberUtils.isParsable takes, and of that what Long.parseLong does.
_PARSABLE = re.compile(r"-?[0-9]*\.?[0-9]+", re.ASCII)
_LONG = re.compile(r"-?[0-9]+", re.ASCII)
_MARKS = str.maketrans("", "", "$[]{}")
_INT64 = range(-(2**63), 2**63)


class OriginatorTelemetryConfig(Config, frozen=True):
    """Which series (names with templates), from when to when, and which of their points."""

    start_interval: int = 2
    end_interval: int = 1
    start_interval_pattern: str = ""
    end_interval_pattern: str = ""
    use_metadata_interval_patterns: bool = False
    start_interval_time_unit: str = "MINUTES"
    end_interval_time_unit: str = "MINUTES"
    fetch_mode: str = _FIRST
    order_by: str = "ASC"
    aggregation: str = "NONE"
    limit: int = LARGEST_LIMIT
    latest_ts_key_names: tuple[str, ...] = ()


class OriginatorTelemetry(Node):
    """Adds the originator's telemetry of a range of time to the metadata, under the names of the series.

    The range begins and ends so long before now, or at the times (ms) that patterns take from the message. FIRST: the oldest
    value in it, as JSON text in quotes. LAST: the newest one. ALL: an array of `ts` and `value` with up to 1,000 points of each
    series, in the wanted order; with an aggregation one point stands for all of them.

    A series without points in the range is left out. Names may have templates.
    """

    TYPE = "org.thingsboard.rule.engine.metadata.TbGetTelemetryNode"
    NAME = "originator telemetry"
    CATEGORY = Category.ENRICHMENT
    VERSION = 2
    CONFIG = OriginatorTelemetryConfig
    CONFIG_DIRECTIVE = "tbEnrichmentNodeGetTelemetryFromDatabase"
    READS = frozenset({TELEMETRY})

    def __init__(self, config: OriginatorTelemetryConfig, name: str = "") -> None:
        super().__init__(config, name)
        if not config.latest_ts_key_names:
            raise ValueError("Telemetry should be specified!")
        self._keys = [Template(key) for key in config.latest_ts_key_names]
        self._sampling = _sampling(config)
        self._patterns = Template(config.start_interval_pattern), Template(config.end_interval_pattern)
        self._ago = (
            _milliseconds(config.start_interval, config.start_interval_time_unit),
            _milliseconds(config.end_interval, config.end_interval_time_unit),
        )

    def run(self, ctx: Context, messages: Sequence[Msg]) -> Sequence[Outcome]:
        """All ranges of all originators are read at once, those that are the same once."""
        windows = [self._window(ctx, msg) for msg in messages]
        wanted = list(dict.fromkeys(each for each in windows if isinstance(each, Window)))
        found: dict[Window, dict[str, str]] = {}
        for window, points in zip(wanted, ctx.look.history(wanted, self._sampling), strict=True):
            found[window] = {key: self._text(points[key]) for key in window.keys if points.get(key)}
        outcomes: list[Outcome] = []
        for msg, each in zip(messages, windows, strict=True):
            if isinstance(each, str):
                outcomes.append(Emit.failure(msg, each))
            else:
                outcomes.append(Emit(SUCCESS, msg.with_all_metadata({**msg.metadata, **found[each]})))
        return outcomes

    def _window(self, ctx: Context, msg: Msg) -> Window | str:
        """What is asked for a message, or why that cannot be."""
        try:
            if self.config.use_metadata_interval_patterns:
                start, end = (_time(pattern, msg) for pattern in self._patterns)
            else:
                start, end = (ctx.now() - ago for ago in self._ago)
            if start > end:
                raise ValueError("Interval start should be less than Interval end")
            keys = tuple(dict.fromkeys(key.fill(msg) for key in self._keys))
            if not all(key.strip() for key in keys):
                raise ValueError("Incorrect ReadTsKvQuery. Key can't be empty")
            if self._sampling.agg is not Aggregation.NONE and start == end:
                raise ValueError("Invalid TsKvQuery: 'interval' must be greater than 0, but got 0.")
            return Window(msg.originator, keys, start, end)
        except ValueError as error:
            return str(error)

    def _text(self, points: Sequence[Point]) -> str:
        if self.config.fetch_mode == _ALL:
            return json_bytes([{"ts": point.ts, "value": typed(point.value)} for point in points]).decode()
        value = points[0].value
        return json_bytes(str(value) if isinstance(value, str) else java_text(value)).decode()

    @classmethod
    def upgrade(cls, version: int, raw: dict[str, Any]) -> dict[str, Any]:
        """Version 0 had orders and aggregations that did not fit their mode, version 1 could be without a limit."""
        new = dict(raw)
        if version < 1 and new.get("fetchMode") is not None:
            _repair(new)
        if version < 2:
            if new.get("limit") is None:
                new["limit"] = LARGEST_LIMIT
            if new.get("fetchMode") == _ALL:
                new |= {key: value for key, value in _NEUTRAL.items() if new.get(key) is None}
        return new


_NEUTRAL: Final = {"orderBy": "ASC", "aggregation": "NONE"}


def _repair(config: dict[str, Any]) -> None:
    """Order and aggregation as its mode has them; an unknown mode is LAST."""
    if config["fetchMode"] == _ALL:
        config |= {key: value for key, value in _NEUTRAL.items() if key in config and not config[key]}
        return
    if config["fetchMode"] != _FIRST:
        config["fetchMode"] = _LAST
    config |= {"orderBy": "ASC" if config["fetchMode"] == _FIRST else "DESC", "aggregation": "NONE"}


def _sampling(config: OriginatorTelemetryConfig) -> Sampling:
    """Which points are wanted. Raises ValueError."""
    if config.fetch_mode in (_FIRST, _LAST):
        return Sampling(1, config.fetch_mode == _LAST)
    if config.fetch_mode != _ALL:
        raise ValueError(f"Unknown fetchMode {config.fetch_mode[:40]!r}; expected FIRST, LAST or ALL.")
    if not 2 <= config.limit <= LARGEST_LIMIT:
        raise ValueError("Limit should be in a range from 2 to 1000.")
    if config.order_by not in _ORDERS:
        raise ValueError(f"Unknown orderBy {config.order_by[:40]!r}; expected ASC or DESC.")
    if config.aggregation not in tuple(Aggregation):
        expected = ", ".join(Aggregation)
        raise ValueError(f"Unknown aggregation {config.aggregation[:40]!r}; expected one of {expected}.")
    return Sampling(config.limit, config.order_by == "DESC", Aggregation(config.aggregation))


def _milliseconds(amount: int, unit: str) -> int:
    if unit not in _UNITS:
        raise ValueError(f"Unknown time unit {unit[:40]!r}; expected one of {', '.join(_UNITS)}.")
    return int(amount * _UNITS[unit] / 1_000_000) if _UNITS[unit] < 1_000_000 else amount * _UNITS[unit] // 1_000_000


def _time(pattern: Template, msg: Msg) -> int:
    """The time (ms) that a message says. Raises ValueError with ThingsBoard's sentences."""
    text, name = pattern.fill(msg), pattern.text.translate(_MARKS)
    if text == pattern.text:
        raise ValueError(f"Message value: '{name}' is undefined")
    if not _PARSABLE.fullmatch(text):
        raise ValueError(f"Message value: '{name}' has invalid format")
    if not _LONG.fullmatch(text) or len(text) > 20 or int(text) not in _INT64:
        raise ValueError(f"Message value: '{name}' is not a whole number of milliseconds: {text[:40]!r}")
    return int(text)
