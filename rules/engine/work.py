"""What a batch still has to do, and in which order."""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field

from rules.engine.graph import Graph, Place
from rules.engine.recorder import Item


@dataclass(slots=True)
class Work:
    """What is still to be done, by (depth, chain, place): the deepest chain first, then in the order of its graph."""

    heap: list[tuple[int, bytes, int]] = field(default_factory=list)
    items: dict[tuple[int, bytes, int], tuple[Graph, list[Item]]] = field(default_factory=dict)

    def add(self, graph: Graph, place: int, items: Sequence[Item]) -> None:
        """These messages arrive at a place. All of them are as deep as the first one."""
        key = (-len(items[0][1].stack), graph.chain, place)
        known = self.items.get(key)
        if known is None:
            self.items[key] = (graph, list(items))
            heapq.heappush(self.heap, key)
        else:
            known[1].extend(items)

    def take(self) -> tuple[Graph, Place, list[Item]]:
        """The next place and its messages, in their order."""
        key = heapq.heappop(self.heap)
        graph, items = self.items.pop(key)
        if len(items) > 1:
            items.sort(key=_source)
        return graph, graph.places[key[2]], items


def _source(item: Item) -> int:
    return item[0]
