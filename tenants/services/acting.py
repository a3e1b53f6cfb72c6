"""Which rule node acts, where no person does (docs/decisions/0037).

The verbs of the services are the same for people and for rule chains. What a chain does is not written into the audit log, as
in ThingsBoard, and of its events the rules hear those alone that the node's kind tells of, with the node's id.
"""

import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ActingNode:
    """The node, and the types of the events that its deeds announce; all others are not said."""

    id: uuid.UUID
    tells: frozenset[str]


_acting: ContextVar[ActingNode | None] = ContextVar("acting_rule_node", default=None)


@contextmanager
def as_rule_node(node_id: uuid.UUID, tells: Collection[str] = ()) -> Iterator[None]:
    """What is done inside is the rule node's deed."""
    token = _acting.set(ActingNode(node_id, frozenset(tells)))
    try:
        yield
    finally:
        _acting.reset(token)


def acting_node() -> ActingNode | None:
    """The rule node whose deed is being done; None where people or the platform act."""
    return _acting.get()
