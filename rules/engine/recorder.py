"""Who hears what happens at every node, where somebody wants to know."""

from collections.abc import Sequence
from typing import Protocol

from rules.engine.graph import Graph, Place
from rules.node import Msg, Outcome

Item = tuple[int, Msg]  # the number of the message that it comes from, and what became of it


class Recorder(Protocol):
    """See the module."""

    def visited(
        self, graph: Graph, place: Place, items: Sequence[Item], outcomes: Sequence[Outcome], seconds: float
    ) -> None:
        """A node had these messages, and this became of them."""
        ...

    def left(self, graph: Graph, place: Place, item: Item, relation: str, error: str) -> None:
        """A message leaves a node that stands for a chain: it came back, or could not enter."""
        ...
