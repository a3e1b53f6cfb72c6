"""What ingest does with a device's messages, derived from the compiled chains (architecture.md 4, "Ingest plan").

The plan may only change where a message's values are written, never what is written, nor what a node sees. So ingest stores
values itself where every message of that type meets nothing but tests of its type before the node that would store it as it
came, and where no node of these chains reads what ingest would write ahead of them: with a batch stored as a whole, a node
would see the last value where it should see that of its own message.
"""

import enum
from typing import NamedTuple

from rules.engine.chains import TenantChains
from rules.engine.graph import Graph
from rules.node.base import ATTRIBUTES, TELEMETRY
from thingsboard.kernel.outbox import MAIN

POST_TELEMETRY = "POST_TELEMETRY_REQUEST"
POST_ATTRIBUTES = "POST_ATTRIBUTES_REQUEST"


class Handling(enum.Enum):
    """What becomes of a message at ingest."""

    STORE = "store"
    STORE_AND_QUEUE = "store and queue"
    QUEUE = "queue"


class IngestPlan(NamedTuple):
    """Of one device profile. `until_ms`: when it has to be made anew, whatever happens; 0: never."""

    telemetry: Handling = Handling.QUEUE
    attributes: Handling = Handling.QUEUE
    queue: str = MAIN
    until_ms: int = 0


def derive(chains: TenantChains, chain: bytes, queue: str, now_ms: int) -> IngestPlan:
    """The plan for devices whose messages enter `chain` (16 bytes, b"": there is none)."""
    graphs = chains.reachable(chain) if chain else []
    first = chains.graph(chain) if chain else None
    if first is None or first.first is None:
        return IngestPlan(queue=queue)
    limits = [place.debug_until for graph in graphs for place in graph.places if place.debug_until > now_ms]
    # Whose messages are traced a plan of a profile does not know: meanwhile those of all devices are queued.
    limits += [demand.until for demand in chains.traced.values()]
    watched = bool(limits) or any(place.debug_failures for graph in graphs for place in graph.places)
    return IngestPlan(
        _handling(first, graphs, POST_TELEMETRY, TELEMETRY, watched=watched),
        _handling(first, graphs, POST_ATTRIBUTES, ATTRIBUTES, watched=watched),
        queue,
        min(limits, default=0),
    )


def _handling(first: Graph, graphs: list[Graph], type: str, state: str, *, watched: bool) -> Handling:
    """Follow messages of the type through tests of it, to the node that stores them."""
    waiting = [first.first or 0]
    met: set[int] = set()
    stored, more = False, False
    while waiting:
        index = waiting.pop()
        if index in met:
            continue
        met.add(index)
        place = first.places[index]
        label = place.node.leaves_by(type)
        if label is not None:
            waiting += place.routes[label]
        elif place.node.stored_by_ingest(type):
            stored = True
            more = more or bool(place.routes["Success"])
        else:
            more = True
    if not stored or any(state in graph.reads for graph in graphs):
        return Handling.QUEUE
    return Handling.STORE_AND_QUEUE if more or watched else Handling.STORE
