"""The path of one message through the chains, written down node by node (rules.models.Trace has the shape).

While the batch runs, only references to messages are kept, which nobody changes; texts are made of them when it is written.
"""

import uuid
from dataclasses import dataclass, field
from typing import Any

from rules.engine import bounded
from rules.engine.graph import Graph, Place
from rules.node import Emit, Going, Leave, Msg, Outcome, Suspend, Wait

MOST_STEPS = 200
MOST_OUTPUTS = 50  # of one step
MOST_BYTES = 256 * 1024  # of all messages of a timeline
LONGEST_ERROR = 1024  # bytes

# A state of the message: what is equal in these is one.
_Key = tuple[str, Any, int, int]
_Arrival = tuple[int, str]  # the step that it comes from, and the relation


@dataclass(slots=True)
class _Step:
    graph: Graph
    place: Place
    depth: int
    origin: _Arrival | None
    at_us: float
    us: float
    batch: int
    state: int
    outputs: list[dict[str, Any]] = field(default_factory=list)
    back: bool = False  # it met the node before, in another batch


class Timeline:
    """Of one message in one batch. What waited outside of it begins with the node that had it wait, which it leaves."""

    def __init__(self) -> None:
        self.omitted = 0
        self.run_us = 0.0
        self._steps: list[_Step] = []
        self._states: list[Msg] = []
        self._known: dict[_Key, int] = {}
        self._arrivals: dict[tuple[bytes, int, int], _Arrival] = {}
        self._entered: dict[tuple[tuple[bytes, bytes], int], int] = {}

    @property
    def nodes(self) -> int:
        """How many nodes it met."""
        return len(self._steps) + self.omitted

    def visited(self, graph: Graph, place: Place, msg: Msg, outcome: Outcome, us: float, batch: int) -> None:
        """It met a node, in a batch of so many; `us` is its share of the node's time."""
        at, self.run_us = self.run_us, self.run_us + us
        if len(self._steps) >= MOST_STEPS:
            self.omitted += 1
            return
        number, state = len(self._steps), self._state(msg)
        step = _Step(graph, place, len(msg.stack), self._origin(graph, place, msg, state), at, us, batch, state)
        self._steps.append(step)
        for each in (outcome,) if isinstance(outcome, Going) else outcome[:MOST_OUTPUTS]:
            left = self._state(each.msg)
            if isinstance(each, Emit):
                self._routed(step, number, each.relation, left, each.error)
            elif isinstance(each, Leave):
                step.outputs.append({"relation": each.relation, "msg": left, "leaves": True})
            elif isinstance(each, Suspend | Wait):
                step.outputs.append({"relation": "", "msg": left, "waits": True})
            else:
                step.outputs.append({"relation": "", "msg": left, "enters": True})
                self._entered[(graph.chain, place.id), left] = number

    def left(self, graph: Graph, place: Place, msg: Msg, relation: str, error: str) -> None:
        """It leaves a node that it met before, which stands for a chain."""
        for number in range(len(self._steps) - 1, -1, -1):
            step = self._steps[number]
            if step.place.id == place.id and len(step.outputs) < MOST_OUTPUTS:
                self._routed(step, number, relation, self._state(msg), error)
                return
        number, state = len(self._steps), self._state(msg)
        if number < MOST_STEPS:
            step = _Step(graph, place, len(msg.stack), None, self.run_us, 0.0, 1, state, back=True)
            self._steps.append(step)
            self._routed(step, number, relation, state, error)

    def json(self, most: int) -> dict[str, Any]:
        """As it is kept; of each message at most `most` bytes of data and of metadata."""
        return {
            "messages": self._messages(most),
            "steps": [_step_json(step) for step in self._steps],
            "omitted": self.omitted,
        }

    def _routed(self, step: _Step, number: int, relation: str, state: int, error: str) -> None:
        output: dict[str, Any] = {"relation": bounded.text(relation, 255)[0], "msg": state}
        if error:
            output["error"] = bounded.text(error, LONGEST_ERROR)[0]
        targets = step.place.routes[relation]
        if not targets:
            output["ends"] = True
        step.outputs.append(output)
        for target in targets:
            self._arrivals[step.graph.chain, target, state] = (number, relation)

    def _origin(self, graph: Graph, place: Place, msg: Msg, state: int) -> _Arrival | None:
        known = self._arrivals.get((graph.chain, place.index, state))
        if known is not None or not msg.stack:
            return known
        caller = self._entered.get((msg.stack[-1], state))
        return None if caller is None else (caller, "")

    def _state(self, msg: Msg) -> int:
        key = (msg.type, msg.originator, id(msg.metadata), id(msg.data))
        number = self._known.get(key)
        if number is None:
            number = self._known[key] = len(self._states)
            self._states.append(msg)  # which also keeps the ids in the key from being given out again
        return number

    def _messages(self, most: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        left = MOST_BYTES
        for msg in self._states:
            room = max(0, min(most, left))
            data, cut = bounded.text(msg.data.raw, room)
            metadata, short = bounded.metadata(msg.metadata, room)
            left -= len(data) + sum(len(key) + len(value) for key, value in metadata.items())
            said: dict[str, Any] = {
                "type": bounded.text(msg.type, 255)[0],
                "originator": {"entityType": msg.originator.type.value, "id": str(msg.originator.id)},
                "metadata": metadata,
                "data": data,
            }
            if msg.stored:
                said["stored"] = True  # by ingest, as it came
            if cut or short:
                said["cut"] = True
            found.append(said)
        return found


def _step_json(step: _Step) -> dict[str, Any]:
    said = {
        "chain": str(uuid.UUID(bytes=step.graph.chain)),
        "chainName": bounded.text(step.graph.name, 255)[0],
        "node": str(uuid.UUID(bytes=step.place.id)),
        "nodeName": bounded.text(step.place.name, 255)[0],
        "nodeType": bounded.text(step.place.type, 255)[0],
        "depth": step.depth,
        "from": None if step.origin is None else step.origin[0],
        "by": "" if step.origin is None else bounded.text(step.origin[1], 255)[0],
        "at": round(step.at_us, 1),
        "us": round(step.us, 1),
        "batch": step.batch,
        "in": step.state,
        "out": step.outputs,
    }
    if step.back:
        said["back"] = True
    return said
