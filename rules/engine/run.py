"""One batch through the chains, node by node: batch-first and order-true (architecture.md 5).

Every node gets all messages of the batch that arrived at it. What a chain reads and writes decides how far that goes: from the
first node on that touches such state, the batch runs in waves, each with at most one message per originator, each wave through
to the end. Which of a message's branches goes first is decided by the chains alone, never by who else is in the batch.
"""

import logging
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import django.db
import psycopg

from rules.engine.graph import Graph, Place
from rules.engine.recorder import Item, Recorder
from rules.engine.work import Work
from rules.node import FAILURE, Context, Emit, Enter, Going, Leave, Msg, Outcome, Suspend, Wait
from thingsboard.kernel.errors import PlatformError
from thingsboard.kernel.ids import EntityId
from thingsboard.kernel.outbox import Position

log = logging.getLogger(__name__)

# A message that became several (an array that was split) may meet as many nodes more; no more than so many times as many.
MOST_PARTS: Final = 100


class Chains(Protocol):
    """The tenant's chains as of this batch."""

    def graph(self, chain: bytes) -> Graph | None:
        """The present version of a chain; None where there is none."""
        ...

    def of_profile(self, originator: EntityId) -> bytes:
        """The chain that the profile of the originator names; b"" where it names none."""
        ...

    def hazards(self, chains: Collection[bytes]) -> frozenset[str]:
        """The state that messages which enter here may both read and write."""
        ...


class RunContext(Context, Protocol):
    """A context that is told which node is running, and tells which messages (by id) are done whatever becomes of them."""

    chain: bytes
    here: bytes
    acknowledged: set[bytes]

    def suspend(self, place: Position, outcome: Suspend | Wait) -> str:
        """The message, whose relation `place` leaves open, goes on when its wait is over. Or a sentence that says why it cannot
        wait: then it leaves by Failure.
        """
        ...

    def mark(self) -> Any:
        """What a node causes from here on can be undone."""
        ...

    def undo(self, mark: Any) -> None:
        """Undo it."""
        ...


@dataclass(slots=True)
class Failed:
    """Why a message failed, and where."""

    error: str
    chain: bytes = b""
    node: bytes = b""


@dataclass(slots=True)
class Start:
    """Where a message of the batch begins: at a place, or behind it by `relation`."""

    graph: Graph
    place: int
    msg: Msg
    relation: str | None = None


class Run:
    """Runs one batch. `failed` tells afterwards which messages failed, by number."""

    def __init__(
        self,
        ctx: RunContext,
        chains: Chains,
        *,
        most_nodes: int,
        recorder: Recorder | None = None,
        settle: Callable[[], str] | None = None,
    ) -> None:
        """`most_nodes`: how many nodes a message may meet. `settle` is called after every node and says what spoiled its
        effects, or "": only given for a message that runs alone because it spoiled its batch.
        """
        self.failed: dict[int, Failed] = {}
        self._ctx, self._chains = ctx, chains
        self._most, self._recorder, self._settle = most_nodes, recorder, settle
        self._visited: list[int] = []
        self._parts: dict[int, int] = {}  # how many a message has become
        self._hazards: frozenset[str] = frozenset()

    def go(self, starts: Sequence[Start]) -> dict[int, Failed]:
        """Run all messages to their ends; returns those that failed, by their number in `starts`."""
        self._visited = [start.msg.visited for start in starts]
        chains = {start.graph.chain for start in starts}
        chains.update([chain for start in starts if start.msg.stack for chain, _ in start.msg.stack])
        self._hazards = self._chains.hazards(chains)
        work = Work()
        parked: dict[int, list[tuple[Graph, int, Msg]]] = {}
        for number, start in enumerate(starts):
            if start.relation is None:
                work.add(start.graph, start.place, [(number, start.msg)])
            else:
                self._come_back(work, number, start, start.relation)
        self._work_off(work, parked)
        for wave in _waves(starts, parked):
            for number in wave:
                for graph, place, msg in parked[number]:
                    work.add(graph, place, [(number, msg)])
            self._work_off(work, None)
        done = self._ctx.acknowledged
        return {number: why for number, why in self.failed.items() if starts[number].msg.id not in done}

    def _come_back(self, work: Work, number: int, start: Start, relation: str) -> None:
        """A message that waited leaves the node that had it wait."""
        place, item = start.graph.places[start.place], (number, start.msg)
        error = start.msg.metadata.get("error", "") if relation == FAILURE else ""
        if self._recorder is not None:
            self._recorder.left(start.graph, place, item, relation, error)
        self._leave(work, start.graph, place, relation, [item], error)

    def _work_off(self, work: Work, parked: dict[int, list[tuple[Graph, int, Msg]]] | None) -> None:
        """Until nothing is left; with `parked`, what arrives at a node that needs waves is put there instead."""
        hazards = self._hazards
        while work.heap:
            graph, place, items = work.take()
            if parked is not None and not hazards.isdisjoint(place.touches):
                for number, msg in items:
                    parked.setdefault(number, []).append((graph, place.index, msg))
                continue
            self._visit(work, graph, place, items)

    def _visit(self, work: Work, graph: Graph, place: Place, items: list[Item]) -> None:
        """One node and its messages."""
        visited = self._visited
        for number, _ in items:
            visited[number] += 1
        if max(visited[number] for number, _ in items) > self._most:
            items = self._within_limit(graph, place, items)
            if not items:
                return
        self._ctx.chain, self._ctx.here = graph.chain, place.id
        recorder = self._recorder
        began = time.perf_counter() if recorder is not None else 0.0
        outcomes = self._call(place, [msg for _, msg in items])
        if self._settle is not None:
            outcomes = self._settled(place, items, outcomes)
        if recorder is not None:
            recorder.visited(graph, place, items, outcomes, time.perf_counter() - began)
        by_relation: dict[str, list[Item]] = {}
        for (number, _), outcome in zip(items, outcomes, strict=True):
            if outcome.__class__ is Emit and outcome.relation != FAILURE:
                item = (number, outcome.msg)
                known = by_relation.get(outcome.relation)
                if known is None:
                    by_relation[outcome.relation] = [item]
                else:
                    known.append(item)
            elif isinstance(outcome, Going):
                self._one(work, graph, place, number, outcome)
            else:
                if len(outcome) > 1:
                    self._parts[number] = min(self._parts.get(number, 1) + len(outcome) - 1, MOST_PARTS)
                for each in outcome:
                    self._one(work, graph, place, number, each)
        for relation, found in by_relation.items():
            for target in place.routes[relation]:
                work.add(graph, target, found)

    def _one(self, work: Work, graph: Graph, place: Place, number: int, outcome: Going) -> None:
        if isinstance(outcome, Emit):
            self._leave(work, graph, place, outcome.relation, [(number, outcome.msg)], outcome.error)
        elif isinstance(outcome, Enter):
            self._enter(work, graph, place, number, outcome)
        elif isinstance(outcome, Leave):
            self._return(work, number, outcome)
        else:
            visited = self._visited[number] // self._parts.get(number, 1)
            why = self._ctx.suspend(Position(graph.chain, place.id, None, outcome.msg.stack, visited), outcome)
            if why:
                self._leave(work, graph, place, FAILURE, [(number, Emit.failure(outcome.msg, why).msg)], why)

    def _leave(self, work: Work, graph: Graph, place: Place, relation: str, items: list[Item], error: str) -> None:
        """Messages leave a place by a label; a Failure that leads nowhere fails them."""
        targets = place.routes[relation]
        for target in targets:
            work.add(graph, target, items)
        if not targets and relation == FAILURE:
            for number, _ in items:
                self._fail(number, error or "The node failed.", graph, place)

    def _enter(self, work: Work, graph: Graph, place: Place, number: int, outcome: Enter) -> None:
        msg = outcome.msg
        chain = outcome.chain or self._chains.of_profile(msg.originator) or outcome.fallback
        inner = self._chains.graph(chain) if chain else None
        if inner is None or inner.first is None or chain == graph.chain:
            why = (
                "The rule chain calls itself." if chain == graph.chain else "The rule chain does not exist or is empty."
            )
            item = number, Emit.failure(msg, why).msg
            if self._recorder is not None:
                self._recorder.left(graph, place, item, FAILURE, why)
            self._leave(work, graph, place, FAILURE, [item], why)
            return
        called = msg._replace(stack=(*msg.stack, (graph.chain, place.id)))
        work.add(inner, inner.first, [(number, called)])

    def _return(self, work: Work, number: int, outcome: Leave) -> None:
        msg = outcome.msg
        if not msg.stack:
            return  # nobody called: the message is done
        chain, node = msg.stack[-1]
        outer = self._chains.graph(chain)
        index = None if outer is None else outer.by_id.get(node)
        if outer is None or index is None:
            self.failed.setdefault(number, Failed("The node that called the chain is gone.", chain, node))
            return
        item = number, msg._replace(stack=msg.stack[:-1])
        if self._recorder is not None:
            self._recorder.left(outer, outer.places[index], item, outcome.relation, "")
        self._leave(work, outer, outer.places[index], outcome.relation, [item], "")

    def _call(self, place: Place, messages: Sequence[Msg]) -> Sequence[Outcome]:
        """The node's outcomes; where it raises, each message is tried alone."""
        mark = self._ctx.mark()
        try:
            return place.node.run(self._ctx, messages)
        except (psycopg.Error, django.db.Error):
            raise
        except Exception as error:
            self._ctx.undo(mark)
            if len(messages) == 1:
                if not isinstance(error, ValueError | PlatformError):
                    log.exception("The rule node %r (%s) failed.", place.name, place.type)
                return [Emit.failure(messages[0], str(error) or type(error).__name__)]
        return [outcome for msg in messages for outcome in self._call(place, [msg])]

    def _settled(self, place: Place, items: Sequence[Item], outcomes: Sequence[Outcome]) -> Sequence[Outcome]:
        """With its effects tried at once: what the database refuses is the node's failure."""
        why = self._settle() if self._settle is not None else ""
        return [Emit.failure(msg, why) for _, msg in items] if why else outcomes

    def _within_limit(self, graph: Graph, place: Place, items: Iterable[Item]) -> list[Item]:
        kept = []
        for number, msg in items:
            if self._visited[number] > self._most * self._parts.get(number, 1):
                self._fail(number, f"The message met more than {self._most} rule nodes.", graph, place)
            else:
                kept.append((number, msg))
        return kept

    def _fail(self, number: int, error: str, graph: Graph, place: Place) -> None:
        self.failed.setdefault(number, Failed(error, graph.chain, place.id))


def _waves(starts: Sequence[Start], parked: dict[int, list[tuple[Graph, int, Msg]]]) -> list[list[int]]:
    """The numbers of the parked messages, so that each wave has at most one of an originator, in their order."""
    waves: list[list[int]] = []
    depth: dict[object, int] = {}
    for number in sorted(parked):
        originator = starts[number].msg.originator.id
        wave = depth.get(originator, 0)
        depth[originator] = wave + 1
        if wave == len(waves):
            waves.append([])
        waves[wave].append(number)
    return waves
