"""What is written down of a batch: debug events of nodes, and the paths of messages that somebody wants to see.

Where neither is wanted there is no recording at all, and the run asks nobody (rules.engine.run).
"""

import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from django.conf import settings

from rules.engine.chains import TenantChains
from rules.engine.graph import Graph, Place
from rules.engine.intake import Queued
from rules.engine.recorder import Item
from rules.engine.run import Failed, Start
from rules.engine.timeline import Timeline
from rules.node import FAILURE, Emit, Going, Leave, Msg, Outcome
from thingsboard.kernel.time import now_ms

MOST_TENANTS = 2_000  # whose last samples are remembered
MINUTE_S = 60.0


class Heard(NamedTuple):
    """A debug event: a message came IN, or went OUT by a relation. `ts` in ms."""

    ts: int
    chain: bytes
    node: bytes
    direction: str
    msg: Msg
    relation: str = ""
    error: str = ""


@dataclass(slots=True)
class Draft:
    """A trace in the making: of the message in the queue, and who wanted it; None: a sample."""

    queued: Queued
    demand: uuid.UUID | None
    start: Start | None
    timeline: Timeline = field(default_factory=Timeline)
    error: str = ""


class Recording:
    """Of one batch; implements rules.engine.recorder.Recorder."""

    def __init__(
        self, queue: str, size: int, origin: Sequence[int], *, debug: bool, drafts: Mapping[int, Draft]
    ) -> None:
        """`size`: the messages of the batch; `origin`: the number there of each that begins; `drafts` by that number."""
        self.queue, self.size = queue, size
        self.began = time.time()
        self.write_us = 0.0
        self.heard: list[Heard] = []
        self.dropped: list[Heard] = []  # the first of those beyond what a minute may have, and
        self.beyond = 0  # how many there were
        self.drafts = dict(drafts)
        self._by_start = {start: drafts[number] for start, number in enumerate(origin) if number in drafts}
        self._debug = debug
        self._now = now_ms()

    def ended(self, failed: Mapping[int, Failed]) -> None:
        """These messages of the batch failed."""
        for number, draft in self.drafts.items():
            if number in failed:
                draft.error = failed[number].error

    def wrote(self, seconds: float) -> None:
        """So long it took to write what the batch's nodes wanted."""
        self.write_us = seconds * 1e6 / max(self.size, 1)

    def visited(
        self, graph: Graph, place: Place, items: Sequence[Item], outcomes: Sequence[Outcome], seconds: float
    ) -> None:
        """See Recorder."""
        if self._debug and (place.debug_failures or place.debug_until > self._now):
            self._listen(graph, place, items, outcomes)
        if self._by_start:
            batch = len(items)
            for (number, msg), outcome in zip(items, outcomes, strict=True):
                draft = self._by_start.get(number)
                if draft is not None:
                    draft.timeline.visited(graph, place, msg, outcome, seconds * 1e6 / batch, batch)

    def left(self, graph: Graph, place: Place, item: Item, relation: str, error: str) -> None:
        """See Recorder."""
        number, msg = item
        if place.debug_until > self._now or (place.debug_failures and relation == FAILURE):
            self._hear(Heard(now_ms(), graph.chain, place.id, "OUT", msg, relation, error))
        draft = self._by_start.get(number)
        if draft is not None:
            draft.timeline.left(graph, place, msg, relation, error)

    def _listen(self, graph: Graph, place: Place, items: Sequence[Item], outcomes: Sequence[Outcome]) -> None:
        everything, ts = place.debug_until > self._now, now_ms()
        for (_, msg), outcome in zip(items, outcomes, strict=True):
            if everything:
                self._hear(Heard(ts, graph.chain, place.id, "IN", msg))
            for each in (outcome,) if isinstance(outcome, Going) else outcome:
                if not isinstance(each, Emit | Leave):
                    continue  # it leaves when it comes back (`left`)
                relation, error = each.relation, each.error if isinstance(each, Emit) else ""
                if everything or relation == FAILURE:
                    self._hear(Heard(ts, graph.chain, place.id, "OUT", each.msg, relation, error))

    def _hear(self, heard: Heard) -> None:
        if len(self.heard) < settings.TB_RULE_DEBUG_PER_MINUTE:
            self.heard.append(heard)
            return
        self.beyond += 1
        if not self.dropped:
            self.dropped.append(heard)


class Recordings:
    """Decides for each batch whether something of it is written down. Of one thread."""

    def __init__(self) -> None:
        self._sampled: dict[uuid.UUID, float] = {}

    def of(
        self,
        tenant_id: uuid.UUID,
        queue: str,
        queued: Sequence[Queued],
        chains: TenantChains,
        begun: Sequence[Start],
        origin: Sequence[int],
    ) -> Recording | None:
        """A recording of a batch, where somebody wants one; `origin` has the number in `queued` of each that begins."""
        drafts = self._drafts(tenant_id, queued, chains)
        debug = chains.debugs({start.graph.chain for start in begun}, now_ms())
        if not drafts and not debug:
            return None
        for start, number in zip(begun, origin, strict=True):
            if number in drafts:
                drafts[number].start = start
        return Recording(queue, len(queued), origin, debug=debug, drafts=drafts)

    def _drafts(self, tenant_id: uuid.UUID, queued: Sequence[Queued], chains: TenantChains) -> dict[int, Draft]:
        drafts: dict[int, Draft] = {}
        traced = {key.bytes: demand for key, demand in chains.traced.items()}
        if traced:
            left = {demand.id: demand.left for demand in traced.values()}
            for number, each in enumerate(queued):
                demand = traced.get(each.row[2])
                if demand is not None and left[demand.id] > 0:
                    left[demand.id] -= 1
                    drafts[number] = Draft(each, demand.id, None)
        if settings.TB_RULE_TRACE_PER_MINUTE and queued and 0 not in drafts and self._due(tenant_id):
            drafts[0] = Draft(queued[0], None, None)
        return drafts

    def _due(self, tenant_id: uuid.UUID) -> bool:
        """Whether the time for the next sample has come; how many there are in all is the ledger's business."""
        now = time.monotonic()
        if now < self._sampled.get(tenant_id, float("-inf")) + MINUTE_S / settings.TB_RULE_TRACE_PER_MINUTE:
            return False
        if len(self._sampled) >= MOST_TENANTS:
            self._sampled.clear()
        self._sampled[tenant_id] = now
        return True
