"""Nodes made from saved configurations, and run as the engine runs them."""

from typing import Any

from rules.node import Emit, Msg, Node, Outcome
from tests.rules.nodes.context import World


def made(
    kind: type[Node],
    configuration: dict[str, Any] | None = None,
    *,
    name: str = "A node",
    version: int | None = None,
    queue: str = "",
) -> Node:
    """The node of a saved configuration, upgraded where it is of an older version; `queue`: its queue's name."""
    raw = {} if configuration is None else configuration
    if version is not None:
        raw = kind.upgrade(version, raw)
    node = kind(kind.CONFIG.read(raw), name)
    node.queue_name = queue
    return node


def run_one(node: Node, world: World, msg: Msg) -> Outcome:
    """What becomes of a single message."""
    (outcome,) = node.run(world, [msg])
    return outcome


def relations(outcomes: Any) -> list[str]:
    """By which labels messages left."""
    return [outcome.relation for outcome in outcomes]


def failed(outcome: Outcome) -> str:
    """Why a message failed; the metadata say the same."""
    assert isinstance(outcome, Emit) and outcome.relation == "Failure", outcome
    assert outcome.msg.metadata["error"] == outcome.error
    return outcome.error
