"""A version of a chain, compiled: an immutable graph whose nodes stand in the order in which messages meet them.

Whatever was saved compiles. A node of unknown type, or whose configuration cannot be used, fails its messages with a sentence.
"""

import heapq
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rules import registry
from rules.node import Category, Context, EachNode, Emit, Msg, Node, Outcome


class Broken(EachNode):
    """Stands for a node that cannot work, and says why."""

    NAME = "broken"
    CATEGORY = Category.FLOW

    def __init__(self, why: str, name: str) -> None:
        super().__init__(None, name)
        self.why = why

    def one(self, ctx: Context, msg: Msg) -> Outcome:
        """Failure."""
        return Emit.failure(msg, self.why)


class Routes(dict[str, tuple[int, ...]]):
    """Where each label leads, compared without case (compat/rule_engine.md, last lines)."""

    def __init__(self, by_label: Mapping[str, Sequence[int]]) -> None:
        self._lower: dict[str, tuple[int, ...]] = {}
        for label, targets in by_label.items():
            key = label.lower()
            self._lower[key] = tuple(dict.fromkeys((*self._lower.get(key, ()), *targets)))
        super().__init__({label: self._lower[label.lower()] for label in by_label})

    def __missing__(self, label: str) -> tuple[int, ...]:
        return self._lower.get(label.lower(), ())


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """A node in its chain. `touches` is the state that it reads or writes."""

    index: int
    id: bytes
    name: str
    type: str
    node: Node
    routes: Routes
    touches: frozenset[str]
    debug_failures: bool = False
    debug_until: int = 0  # ms


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """One version of a chain. A place never leads to one with a smaller index, except in a cycle, which saving refuses."""

    chain: bytes
    version: int
    name: str
    places: tuple[Place, ...]
    first: int | None
    by_id: Mapping[bytes, int]
    # Chains (16 bytes) that messages enter from here; b"": whichever is the originator's own.
    calls: frozenset[bytes]
    reads: frozenset[str] = field(default=frozenset())
    writes: frozenset[str] = field(default=frozenset())
    is_acyclic: bool = True
    suspends: bool = False  # some node has messages wait
    debugged: bool = False  # some node has debug settings
    debug_failures: bool = False  # some node tells of failures
    debug_until: int = 0  # until when (ms) the last node tells everything

    def debugs(self, now: int) -> bool:
        """Whether some node tells what happens at it (`now` in ms)."""
        return self.debugged and (self.debug_failures or self.debug_until > now)


def compile_chain(chain: uuid.UUID, version: int, definition: Mapping[str, Any]) -> Graph:
    """The graph of a saved definition (rules.models.RuleChainVersion)."""
    nodes = {each["id"]: each for each in definition["nodes"]}
    edges = [each for each in definition["connections"] if each[0] in nodes and each[1] in nodes]
    order = _order(list(nodes), edges)
    index = {node_id: number for number, node_id in enumerate(order)}
    places = tuple(_place(number, nodes[node_id], edges, index) for number, node_id in enumerate(order))
    kinds = [place.node for place in places]
    return Graph(
        chain=chain.bytes,
        version=version,
        name=str(definition.get("name") or ""),
        places=places,
        first=index.get(str(definition.get("first"))),
        by_id={place.id: place.index for place in places},
        calls=frozenset(called for node in kinds for called in node.calls()),
        reads=frozenset(state for node in kinds for state in node.READS),
        writes=frozenset(state for node in kinds for state in node.WRITES),
        is_acyclic=all(to > place.index for place in places for targets in place.routes.values() for to in targets),
        suspends=any(node.SUSPENDS for node in kinds),
        debugged=any(place.debug_failures or place.debug_until for place in places),
        debug_failures=any(place.debug_failures for place in places),
        debug_until=max((place.debug_until for place in places), default=0),
    )


def build(raw: Mapping[str, Any]) -> Node:
    """The node of a saved description; Broken where it cannot work."""
    name = str(raw.get("name") or "")
    kind = registry.find(str(raw.get("type") or ""))
    if kind is None:
        return Broken(f"The rule node type {str(raw.get('type'))[:200]!r} is not known to this platform.", name)
    try:
        configuration = kind.upgrade(int(raw.get("configurationVersion") or 0), dict(raw.get("configuration") or {}))
        node = kind(kind.CONFIG.read(configuration), name)
        node.queue_name = str(raw.get("queueName") or "")
        return node
    except (ValueError, TypeError, KeyError) as error:
        return Broken(f"The rule node cannot work: {error}", name)


def _place(number: int, raw: Mapping[str, Any], edges: Sequence[Any], index: Mapping[str, int]) -> Place:
    by_label: dict[str, list[int]] = {}
    for source, target, label in edges:
        if source == raw["id"]:
            by_label.setdefault(label, []).append(index[target])
    debug = raw.get("debugSettings") or {}
    node = build(raw)
    return Place(
        number,
        uuid.UUID(raw["id"]).bytes,
        str(raw.get("name") or ""),
        str(raw.get("type") or ""),
        node,
        Routes(by_label),
        node.READS | node.WRITES,
        bool(debug.get("failuresEnabled")),
        int(debug.get("allEnabledUntil") or 0),
    )


def _order(nodes: Sequence[str], edges: Sequence[Any]) -> list[str]:
    """Topological, by Kahn; among those that are free at the same time the order of the definition. A cycle comes last."""
    position = {node: number for number, node in enumerate(nodes)}
    waiting = dict.fromkeys(nodes, 0)
    targets: dict[str, list[str]] = {}
    for source, target, _ in edges:
        waiting[target] += 1
        targets.setdefault(source, []).append(target)
    free = [position[node] for node in nodes if not waiting[node]]
    heapq.heapify(free)
    order: list[str] = []
    while free:
        node = nodes[heapq.heappop(free)]
        order.append(node)
        for target in targets.get(node, ()):
            waiting[target] -= 1
            if not waiting[target]:
                heapq.heappush(free, position[target])
    placed = set(order)
    return order + [node for node in nodes if node not in placed]
