"""Save time series."""

from collections.abc import Sequence
from typing import Any

import msgspec

from rules.node import SUCCESS, Category, Config, Context, Emit, Msg, Node, Outcome
from rules.node.base import TELEMETRY
from rules.node.message_types import POST_TELEMETRY
from rules.node.processing import ON_EVERY_MESSAGE, AdvancedTimeSeries, Processing, TimeSeriesProcessing
from telemetry.json import telemetry_from_json

_EXCERPT = 200  # characters of a body that an error shows


class SaveTimeSeriesConfig(Config, frozen=True):
    """How long to keep the values (s; 0: as the tenant's profile says), whose clock counts, and when to act."""

    default_ttl: int = msgspec.field(default=0, name="defaultTTL")
    use_server_ts: bool = False
    processing_settings: TimeSeriesProcessing = ON_EVERY_MESSAGE


class SaveTimeSeries(Node):
    """Saves telemetry of the originator.

    Expects messages of type POST_TELEMETRY_REQUEST; others leave by Failure, as does a body without a value. A time stamp in
    the body counts first, then `ts` in the metadata, then when the message came; with "use server timestamp" the present
    replaces the latter two. `TTL` in the metadata (seconds) replaces the node's.

    The node does four things: it writes history, it writes the latest values, it tells live subscriptions, and it tells
    calculated fields. Each is done on every message, for the first message of an originator in an interval, or never.
    """

    TYPE = "org.thingsboard.rule.engine.telemetry.TbMsgTimeseriesNode"
    NAME = "save time series"
    CATEGORY = Category.ACTION
    VERSION = 1
    CONFIG = SaveTimeSeriesConfig
    CONFIG_DIRECTIVE = "tbActionNodeTimeseriesConfig"
    ICON = "file_upload"
    WRITES = frozenset({TELEMETRY})

    def __init__(self, config: SaveTimeSeriesConfig, name: str = "") -> None:
        super().__init__(config, name)
        if config.default_ttl < 0:
            raise ValueError(f"The default TTL is {config.default_ttl} s; expected 0 or more.")
        self._processing = Processing(config.processing_settings, AdvancedTimeSeries.ACTIONS)
        # What ingest did already need not be done once more.
        self._skips_stored = self._processing.always and not config.use_server_ts and not config.default_ttl

    def run(self, ctx: Context, messages: Sequence[Msg]) -> Sequence[Outcome]:
        """Messages whose values are stored as they came pass on."""
        skips = self._skips_stored
        if self._processing.always:
            return [
                Emit(SUCCESS, msg) if skips and msg.stored and msg.type == POST_TELEMETRY else self._saved(ctx, msg, ())
                for msg in messages
            ]
        asked = [(msg.originator, self._ts(ctx, msg)) for msg in messages if msg.type == POST_TELEMETRY]
        flags = iter(self._processing.decide(ctx, asked))
        return [self._saved(ctx, msg, next(flags) if msg.type == POST_TELEMETRY else ()) for msg in messages]

    def stored_by_ingest(self, type: str) -> bool:
        """Telemetry, where nothing is left out and the tenant's own time to live counts."""
        return type == POST_TELEMETRY and self._skips_stored

    def _ts(self, ctx: Context, msg: Msg) -> int:
        return ctx.now() if self.config.use_server_ts else msg.meta_ts

    def _saved(self, ctx: Context, msg: Msg, flags: tuple[bool, ...]) -> Emit:
        """`flags` as those of AdvancedTimeSeries.ACTIONS; empty: everything."""
        if msg.type != POST_TELEMETRY:
            return Emit.failure(msg, f"Unsupported msg type: {msg.type}")
        if flags and not any(flags):
            return Emit(SUCCESS, msg)
        try:
            raw = msg.data.raw
            readings = telemetry_from_json(raw, self._ts(ctx, msg), ctx.json_rules)
            if not readings:
                return Emit.failure(msg, f"Msg body is empty: {raw[:_EXCERPT].decode(errors='replace')}")
            named = msg.metadata.get("TTL")
            ttl = _ttl(named) if named else self.config.default_ttl
            if flags:
                history, latest, live, fields = flags
                ctx.save_points(msg.originator, readings, ttl, history=history, latest=latest, live=live, fields=fields)
            else:
                ctx.save_points(msg.originator, readings, ttl)
        except ValueError as error:
            return Emit.failure(msg, str(error))
        return Emit(SUCCESS, msg)

    @classmethod
    def upgrade(cls, version: int, raw: dict[str, Any]) -> dict[str, Any]:
        """Version 0 could leave out the latest values, and nothing else."""
        if version > 0:
            return raw
        saved = {key: value for key, value in raw.items() if key != "skipLatestPersistence"}
        skips = str(raw.get("skipLatestPersistence")).lower() == "true"
        every = {"type": "ON_EVERY_MESSAGE"}
        advanced = {
            "type": "ADVANCED",
            "timeseries": every,
            "latest": {"type": "SKIP"},
            "webSockets": every,
            "calculatedFields": every,
        }
        return {**saved, "processingSettings": advanced if skips else every}


def _ttl(text: str) -> int:
    """Seconds of a message's metadata. Raises ValueError."""
    try:
        seconds = int(text)
    except ValueError:
        seconds = -1
    if seconds < 0:
        raise ValueError(f"The TTL in the metadata is {text[:40]!r}; expected seconds, 0 or more.")
    return seconds
