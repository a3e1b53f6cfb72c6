"""The context of a batch: what its nodes ask and cause (rules.node.context). Effects are data until `flush`."""

import logging
import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeVar

import psycopg

from devices.models import Direction
from devices.services.relation_search import Question, exists_many
from rules.engine.alarms import BatchAlarms
from rules.engine.continuing import effect_of
from rules.engine.deeds import BatchDeeds
from rules.engine.entities import Entities
from rules.engine.intervals import Firsts
from rules.engine.later import BatchLater
from rules.engine.lookups import BatchLookups
from rules.engine.memory import Memory
from rules.engine.signals import Signals
from rules.engine.tools import Tools
from rules.engine.values import Values
from rules.node import Body, EntityFields, Msg, Suspend, Wait
from rules.node.context import RULE_NODE_ID
from rules.node.scripts import Answer, Script, arguments
from telemetry.json import Rules, typed
from telemetry.points import Attribute, Point, Reading, Scope, Value
from thingsboard.kernel import effects
from thingsboard.kernel.encoding import json_bytes
from thingsboard.kernel.ids import EntityId
from thingsboard.kernel.outbox import Message, Position
from thingsboard.kernel.script import Unavailable
from thingsboard.kernel.time import now_ms

log = logging.getLogger("rules.log")

D = TypeVar("D", bound=BatchDeeds)
Connection = psycopg.Connection[Any]


class BatchContext:
    """Implements rules.node.Context for one batch of one tenant, inside an open transaction of the connection."""

    def __init__(self, tools: Tools, tenant_id: uuid.UUID, earlier: "Sequence[BatchContext]" = ()) -> None:
        """`earlier`: the contexts of other batches of the same transaction."""
        self.tenant_id, self._tools, self._connection = tenant_id, tools, tools.connection
        self.values = Values(tools.connection, tenant_id.bytes, tools.numbers)
        self.entities = Entities(tools.connection, tenant_id)
        self._alarms = BatchAlarms(tools.connection, tenant_id, self.now, self.entities)
        self.queued: list[tuple[str, Message]] = []
        self.lanes: set[int] = set()  # to be kicked after the commit
        self.chain, self.here = b"", b""  # the node that is running
        self.acknowledged: set[bytes] = set()
        self.firsts: Firsts = Firsts([each.firsts for each in earlier])
        self._deeds = self._make_deeds(BatchDeeds, Signals([each.deeds.signals for each in earlier]))
        self.suspended: list[tuple[Position, Suspend | Wait]] = []
        self._later: BatchLater = BatchLater(
            tools.connection, tenant_id, tools.room, lambda: Position(self.chain, self.here)
        )
        self.retries: Mapping[bytes, int] = {}  # how often messages (by id) were tried again, where they were
        self.orders: Mapping[bytes, tuple[int, int]] = {}  # where messages (by id) stand in line (rules.engine.in_line)
        self.waiting: set[bytes] = set()  # messages (by id) that wait for work outside
        self.work_outside = False  # some was stored: the effects workers are to be kicked after the commit
        self._now: int | None = None
        self.memory: Memory = Memory([each.memory for each in earlier])
        # What a context of another kind has instead is asked for when it is used.
        self._look = BatchLookups(tools.connection, tenant_id, lambda: self.values, self.memory, lambda: self.here)

    def now(self) -> int:
        """The batch's present (ms): the same for all its messages, so that running it again says the same."""
        if self._now is None:
            self._now = now_ms()
        return self._now

    @property
    def json_rules(self) -> Rules:
        """See rules.node.Context."""
        return self._tools.json_rules

    def save_points(
        self,
        entity: EntityId,
        readings: Sequence[Reading],
        ttl_s: int = 0,
        *,
        history: bool = True,
        latest: bool = True,
        live: bool = True,
        fields: bool = True,
    ) -> None:
        """See rules.node.Context. In PostgreSQL points have no time to live of their own: TB_TS_RETENTION_DAYS is for all."""
        self.values.save_points(entity.id.bytes, readings, history=history, latest=latest, live=live)

    def first_in_interval(self, purpose: str, asked: Sequence[tuple[EntityId, int]], interval_s: int) -> Sequence[bool]:
        """See rules.node.Context."""
        return self.firsts.ask((self.here, purpose), asked, interval_s * 1000)

    def save_attributes(
        self,
        entity: EntityId,
        scope: Scope,
        values: dict[str, Value],
        *,
        only_changes: bool = False,
        notify_device: bool = False,
        announce: Mapping[str, str] | None = None,
        store: bool = True,
        live: bool = True,
        fields: bool = True,
        ts: int | None = None,
    ) -> None:
        """See rules.node.Context."""
        at = self.now() if ts is None else ts
        if only_changes:
            known = self.values.attributes(scope, values.keys(), [entity])[entity]
            values = {
                key: value for key, value in values.items() if key not in known or not _same(known[key].value, value)
            }
        if not values:
            return
        self.values.save_attributes(entity.id.bytes, scope, at, values, store=store, live=live)
        if announce is not None and store:
            body = json_bytes({key: typed(value) for key, value in values.items()})
            self._queue(Message("ATTRIBUTES_UPDATED", entity, body, {**announce, "scope": scope.json}, at))

    def attributes(
        self, scope: Scope, keys: Collection[str], entities: Collection[EntityId]
    ) -> Mapping[EntityId, Mapping[str, Attribute]]:
        """See rules.node.Context."""
        return self.values.attributes(scope, keys, entities)

    def latest(self, keys: Collection[str], entities: Collection[EntityId]) -> Mapping[EntityId, Mapping[str, Point]]:
        """See rules.node.Context."""
        return self.values.latest(keys, entities)

    def describe(self, entities: Collection[EntityId]) -> Mapping[EntityId, EntityFields]:
        """See rules.node.Context."""
        return self.entities.describe(entities)

    def related(
        self,
        direction: str,
        relation_type: str,
        entities: Collection[EntityId],
        other: EntityId | None = None,
    ) -> Collection[EntityId]:
        """See rules.node.Context."""
        asked = list(dict.fromkeys(entities))
        questions = [Question(Direction(direction), each, relation_type, other) for each in asked]
        answers = exists_many(self._connection, questions)
        return {each for each, answer in zip(asked, answers, strict=True) if answer}

    @property
    def look(self) -> BatchLookups:
        """See rules.node.Context."""
        return self._look

    @property
    def deeds(self) -> BatchDeeds:
        """See rules.node.Context."""
        return self._deeds

    @property
    def caused(self) -> list[dict[str, Any]]:
        """A short record of each deed, JSON: {"kind": "assign to customer", "entity": {...}, ...}."""
        return self._deeds.caused

    @property
    def alarms(self) -> BatchAlarms:
        """See rules.node.Context."""
        return self._alarms

    @property
    def later(self) -> BatchLater:
        """See rules.node.Context."""
        return self._later

    def evaluate(self, script: Script, messages: Sequence[Msg]) -> Sequence[Answer]:
        """See rules.node.Context."""
        return self.evaluate_raw(script, [arguments(msg) for msg in messages])

    def evaluate_raw(self, script: Script, calls: Sequence[bytes]) -> Sequence[Answer]:
        """See rules.node.Context. Where scripts cannot be run at all, every call says so."""
        try:
            return self._tools.jail.call(script.program, calls, self.tenant_id.bytes)
        except Unavailable as error:
            log.error("%s", error)
            return [Answer(b"", str(error))] * len(calls)

    def announce(self, type: str, entity: EntityId, body: Body) -> None:
        """See rules.node.Context."""
        metadata = {RULE_NODE_ID: str(uuid.UUID(bytes=self.here))}
        self._queue(Message(type, entity, body.raw, metadata, self.now()))

    def _make_deeds(self, kind: type[D], signals: Signals) -> D:
        here, server = lambda: self.here, self._tools.server
        return kind(self.tenant_id, self.now, here, self.entities, self.values, server, self._queue, signals)

    def _queue(self, message: Message) -> None:
        self.queued.append((self.entities.queue_of(message.originator), message))

    def acknowledge(self, messages: Sequence[Msg]) -> None:
        """See rules.node.Context."""
        self.acknowledged.update([msg.id for msg in messages])

    def suspend(self, place: Position, outcome: Suspend | Wait) -> str:
        """See rules.engine.run.RunContext."""
        if isinstance(outcome, Wait):
            return self._later.wait(place, outcome, self.now())
        retries = self.retries.get(outcome.msg.id, 0)
        self.suspended.append((place._replace(retries=retries) if retries else place, outcome))
        return ""

    def log(self, text: str) -> None:
        """See rules.node.Context."""
        if self._tools.log.take():
            log.info("%s: %s", self.tenant_id, text[:4096])

    def flush(self) -> None:
        """Write everything that was not written yet, in the open transaction."""
        self.write()
        suspended, self.suspended = self.suspended, []
        self._flush_effects([(place, each) for place, each in suspended if isinstance(each, Suspend)])
        self.lanes |= self._later.write_waits(self._tools.appender, self.now())

    def _flush_effects(self, suspended: Sequence[tuple[Position, Suspend]]) -> None:
        found = [effect_of(place, each, self.orders.get(each.msg.id)) for place, each in suspended]
        effects.append(self._connection, self.tenant_id, found)
        self.waiting.update([each.msg.id for _, each in suspended])
        self.work_outside = self.work_outside or bool(suspended)

    def write(self) -> None:
        """Write what nodes caused and was not written yet: what the database refuses of it is the node's failure. Messages
        that wait are not among that, and stay where a savepoint is rolled back.
        """
        self.values.flush(self._tools.server)
        self._alarms.flush()
        queued, self.queued = self.queued, []
        by_queue: dict[str, list[Message]] = {}
        for queue, message in queued:
            by_queue.setdefault(queue, []).append(message)
        for queue, messages in sorted(by_queue.items()):
            rows = [message.row() for message in messages]
            self.lanes |= self._tools.appender.append(self._connection, self.tenant_id.bytes, rows, queue)
        self._later.write()

    def mark(self) -> tuple[int, int, int, int, int, tuple[int, int], int]:
        """How far it got; `undo` goes back to it."""
        first, memory, deeds = self.firsts.mark(), self.memory.mark(), self._deeds.mark()
        return len(self.values.pending), self._alarms.mark(), len(self.queued), first, memory, deeds, self._later.mark()

    def undo(self, mark: tuple[int, int, int, int, int, tuple[int, int], int]) -> None:
        """Undo what a node caused since: it failed in the middle of its messages."""
        values, alarms, queued, firsts, memory, deeds, later = mark
        self._later.undo(later)
        self._deeds.undo(deeds)
        self.firsts.undo(firsts)
        self.memory.undo(memory)
        if len(self.values.pending) > values:
            self.values.forget(values)
        self._alarms.undo(alarms)
        del self.queued[queued:]

    def forget(self) -> None:
        """Undo what was not flushed."""
        self.values.forget()
        self._alarms.forget()
        self.queued.clear()
        self._later.forget()


def _same(one: Value, other: Value) -> bool:
    """Equal and of one kind."""
    return type(one) is type(other) and one == other
