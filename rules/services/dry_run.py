"""Messages through a rule chain without consequences: which way they would take, and what they would cause.

One message after the other, each seeing what those before it caused. Work outside of the platform is described and not done;
the message goes on as if it had been. Everything happens in a transaction that is rolled back, whatever comes.
"""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import django.db
import psycopg
from django.conf import settings
from django.db import connection as database
from django.db import transaction

from rules.engine.chains import ChainCache, TenantChains
from rules.engine.dry import DryContext
from rules.engine.entities import device_metadata
from rules.engine.graph import Graph, Place
from rules.engine.jails import jail_of_people
from rules.engine.recorder import Item
from rules.engine.run import Run, Start
from rules.engine.timeline import Timeline
from rules.engine.tools import Tools
from rules.models import RuleChain
from rules.node import Body, Msg, Outcome, OutsideNode, Suspend, Wait
from rules.node.message_types import POST_TELEMETRY
from telemetry.json import typed
from telemetry.recent import newest_readings
from telemetry.store.batch import introspect
from thingsboard.kernel.encoding import json_bytes
from thingsboard.kernel.entities import not_found
from thingsboard.kernel.errors import BadRequest, NotFound, TooMany
from thingsboard.kernel.ids import EntityId, new_id
from thingsboard.kernel.outbox import Message, Position
from thingsboard.kernel.time import now_ms

MOST_MESSAGES = 100
LONGEST_S = 20.0  # of all messages; the rest is skipped
LARGEST_ANSWER = 8 << 20  # bytes of timelines and effects, about; the rest is skipped
MOST_WAITS = 100  # of one message
AT_A_TIME = 2  # in one process
_LIMITS = "SET LOCAL lock_timeout = '1s'; SET LOCAL statement_timeout = '5s'"

_running = threading.BoundedSemaphore(AT_A_TIME)


@dataclass(frozen=True)
class Tried:
    """What would have become of a message: "done", "failed" with an error, "waits" for work outside; or it was "skipped"."""

    msg: Msg
    outcome: str
    error: str = ""
    effects: list[dict[str, Any]] = field(default_factory=list)
    timeline: dict[str, Any] = field(default_factory=dict)


def newest_messages(originator: EntityId, most: int) -> list[Message]:
    """The newest telemetry of an entity as the messages that it may have come with, the oldest first; at most MOST_MESSAGES."""
    database.ensure_connection()
    readings = newest_readings(database.connection, originator.id, min(most, MOST_MESSAGES))
    return [
        Message(POST_TELEMETRY, originator, json_bytes({key: typed(value) for key, value in values.items()}), None, ts)
        for ts, values in readings
    ]


def dry_run(
    chain: RuleChain, messages: Sequence[Message], *, version: int | None = None, assume: str | None = "Success"
) -> list[Tried]:
    """Have the chain's tenant's messages enter the chain at its beginning, in that version (the present one).

    `assume`: by which label a message leaves a node whose work is outside; None: it goes no further. Raises BadRequest,
    NotFound for a version that is not kept or an originator that is not the tenant's, TooMany while others are running.
    """
    if not 1 <= len(messages) <= MOST_MESSAGES:
        raise BadRequest(f"messages: expected 1 to {MOST_MESSAGES}, there are {len(messages)}")
    if not _running.acquire(blocking=False):
        raise TooMany("Too many dry runs at the same time; try again in a moment.")
    try:
        with transaction.atomic():
            try:
                with database.cursor() as cursor:
                    cursor.execute(_LIMITS)
                return _Rehearsal(chain, version, assume).all(messages)
            finally:
                transaction.set_rollback(True)
    finally:
        _running.release()


class _Path:
    """Hears of one message; implements rules.engine.recorder.Recorder."""

    def __init__(self) -> None:
        self.timeline = Timeline()

    def visited(
        self, graph: Graph, place: Place, items: Sequence[Item], outcomes: Sequence[Outcome], seconds: float
    ) -> None:
        for (_, msg), outcome in zip(items, outcomes, strict=True):
            self.timeline.visited(graph, place, msg, outcome, seconds * 1e6 / len(items), len(items))

    def left(self, graph: Graph, place: Place, item: Item, relation: str, error: str) -> None:
        self.timeline.left(graph, place, item[1], relation, error)


class _Rehearsal:
    """One dry run, in its transaction."""

    def __init__(self, chain: RuleChain, version: int | None, assume: str | None) -> None:
        self._assume = assume
        tools = Tools(database.connection, introspect(database.connection), jail_of_people())
        self._ctx = DryContext(tools, chain.tenant_id)
        cache = ChainCache()
        self._chains: TenantChains = cache.of(chain.tenant_id)
        graph = cache.graph(chain.pk.bytes, chain.version if version is None else version)
        if graph is None:
            raise NotFound(f"The rule chain has no version {version}, or it is not kept any more.")
        self._graph = graph

    def all(self, messages: Sequence[Message]) -> list[Tried]:
        """One after the other, as long as there is time and room."""
        entities = self._ctx.entities
        originators = {message.originator for message in messages}
        described = entities.describe(originators)
        for each in originators - described.keys():
            raise not_found(each.type, each.id)
        self._chains.profile_chain = entities.profile_chain
        until, room = time.monotonic() + LONGEST_S, LARGEST_ANSWER
        found: list[Tried] = []
        for message in messages:
            about = described[message.originator]
            metadata, ts = message.metadata, now_ms() if message.ts is None else message.ts
            if metadata is None:
                metadata = device_metadata(about, message.type, ts)
            msg = Msg(
                new_id().bytes, ts, message.type, message.originator, about.customer_id, metadata, Body(message.data)
            )
            if time.monotonic() > until or room < 0:
                why = "time" if room >= 0 else "room in the answer"
                found.append(Tried(msg, "skipped", f"There was no {why} left."))
                continue
            tried = self._one(msg)
            room -= len(json_bytes(tried.timeline)) + len(json_bytes(tried.effects))
            found.append(tried)
        return found

    def _one(self, msg: Msg) -> Tried:
        ctx, path = self._ctx, _Path()
        before = len(ctx.effects)
        error, waits = "", False
        try:
            with transaction.atomic():
                if self._graph.first is not None:
                    error, waits = self._run(Start(self._graph, self._graph.first, msg), path)
        except (psycopg.Error, django.db.Error) as refused:
            ctx.suspended.clear()
            error = f"The database refuses it: {str(refused).strip().splitlines()[0]}"
        outcome = "failed" if error else "waits" if waits else "done"
        timeline = path.timeline.json(settings.TB_RULE_DEBUG_MAX_BYTES)
        return Tried(msg, outcome, error, ctx.effects[before:], timeline)

    def _run(self, start: Start, path: _Path) -> tuple[str, bool]:
        """Until nothing is left of the message: why it failed, else "", and whether it still waits."""
        ctx = self._ctx
        starts, error, rounds = [start], "", 0
        while starts:
            run = Run(ctx, self._chains, most_nodes=settings.TB_RULE_MAX_NODES_PER_MESSAGE, recorder=path)
            failed = run.go(starts)
            error = error or next((why.error for why in failed.values()), "")
            suspended, ctx.suspended = ctx.suspended, []
            starts = [again for place, outcome in suspended if (again := self._goes_on(place, outcome)) is not None]
            rounds += len(suspended)
            if suspended and (len(starts) < len(suspended) or rounds > MOST_WAITS):
                return error, True
        return error, False

    def _goes_on(self, place: Position, outcome: Suspend | Wait) -> Start | None:
        """Where a message that waits would go on; what is done outside meanwhile is told."""
        graph = self._graph if place.chain == self._graph.chain else self._chains.graph(place.chain)
        index = None if graph is None else graph.by_id.get(place.node)
        if graph is None or index is None:
            return None
        node, msg = graph.places[index].node, outcome.msg
        relation: str | None = outcome.relation if isinstance(outcome, Wait) else self._assume
        if isinstance(node, OutsideNode) and isinstance(outcome, Suspend):
            self._ctx.here = place.node
            would = node.preview(msg)
            self._ctx.note(node.NAME, msg.originator, destination=outcome.destination, would=would)
        if relation is None:
            return None
        return Start(graph, index, msg._replace(stack=place.stack, visited=place.visited), relation)
