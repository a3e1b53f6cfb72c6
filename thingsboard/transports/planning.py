"""Where the messages of a batch are written: into the store, the rule engine's queue, or both (rules.services.plans)."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import psycopg

from rules.services.plans import EPOCH, Handling, IngestPlan, Plans, PlansUnavailable
from telemetry import keys
from telemetry.json import typed
from telemetry.writer import Guard, Write
from thingsboard.kernel.batch import Refused, Unavailable
from thingsboard.kernel.outbox import Appender, Row, kick
from thingsboard.transports.decoding import Decoded

_TELEMETRY = "POST_TELEMETRY_REQUEST"
_ATTRIBUTES = "POST_ATTRIBUTES_REQUEST"
_DEVICE = "DEVICE"


class Planner:
    """Of one shard."""

    def __init__(self) -> None:
        self._plans = Plans()
        self._appender = Appender()

    def plan(self, units: Sequence[Decoded]) -> "Planned":
        """What a batch writes. Raises Unavailable."""
        try:
            plans = self._plans.of({(unit.tenant_id, unit.profile_id) for unit in units})
        except PlansUnavailable as error:
            raise Unavailable(str(error).strip().splitlines()[0] if str(error) else "no plan") from error
        return Planned(units, plans, Guard(EPOCH, self._plans.epoch), self._appender)

    def outdated(self) -> None:
        """Somebody saved a chain meanwhile."""
        self._plans.outdated()


class Planned:
    """A batch and its plans. `writes` has one for each of its messages, empty where nothing is stored."""

    def __init__(
        self, units: Sequence[Decoded], plans: Mapping[uuid.UUID, IngestPlan], guard: Guard, appender: Appender
    ) -> None:
        self.guard = guard
        self._units, self._appender = units, appender
        self._lanes: set[int] = set()
        self.writes: list[Write] = []
        self.refused: dict[int, Refused] = {}  # before anything is written
        self._queued: dict[tuple[bytes, str], list[int]] = {}
        for index, (write, _, profile) in enumerate(units):
            telemetry, attributes, queue, _ = plans[profile]
            handling = telemetry if write.series else attributes
            if handling is Handling.STORE:
                self.writes.append(write)
                continue
            if handling is Handling.QUEUE:
                why = _bad_key(write)
                if why:
                    self.refused[index] = Refused("key", why)
                write = Write(write.tenant, ())
            self.writes.append(write)
            self._queued.setdefault((write.tenant, queue), []).append(index)

    def append(self, connection: "psycopg.Connection[Any]", refused: Mapping[int, Refused]) -> None:
        """Append what is queued, in the open transaction, without what was refused."""
        self._appender.rolled_back()  # of an attempt before this one
        for (tenant, queue), indexes in sorted(self._queued.items()):
            rows: list[Row] = []
            for index in indexes:
                if index not in refused and index not in self.refused:
                    rows += _rows(
                        self._units[index].write,
                        stored=bool(self.writes[index].series or self.writes[index].attributes),
                    )
            self._lanes |= self._appender.append(connection, tenant, rows, queue)

    def committed(self) -> None:
        """It is durable."""
        self._appender.committed()
        if self._lanes:
            kick(self._lanes)


def _bad_key(write: Write) -> str:
    """Why one of its keys cannot be one, else "". Whether ingest stores it or a chain, it is refused for the same reason."""
    known = keys.cache.of(write.tenant).keys()
    for values in write.values():
        for name in values.keys() - known:
            try:
                keys.check(name)
            except keys.InvalidKey as error:
                return str(error)
    return ""


def _rows(write: Write, *, stored: bool) -> list[Row]:
    """One message for each time stamp; an attribute message has the time of its arrival."""
    mark = (1, None, None, None) if stored else ()
    rows: list[Row] = [
        (_TELEMETRY, _DEVICE, entity, ts, _json(values), None, *mark) for entity, ts, values in write.series
    ]
    rows += [
        (_ATTRIBUTES, _DEVICE, entity, ts, _json(values), None, *mark) for entity, _, ts, values in write.attributes
    ]
    return rows


def _json(values: Mapping[str, Any]) -> bytes:
    return orjson.dumps(values, default=typed, option=orjson.OPT_PASSTHROUGH_SUBCLASS)
