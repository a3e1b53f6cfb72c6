"""What a rule node is written against: messages, outcomes, its base classes and the context, its only door to the world."""

from rules.node.base import Category, EachNode, Node
from rules.node.config import Config
from rules.node.context import Context, EntityFields
from rules.node.message import Body, Msg
from rules.node.outcome import CONSUMED, FAILURE, FALSE, SUCCESS, TRUE, Emit, Enter, Leave, Outcome

__all__ = [
    "CONSUMED",
    "FAILURE",
    "FALSE",
    "SUCCESS",
    "TRUE",
    "Body",
    "Category",
    "Config",
    "Context",
    "EachNode",
    "Emit",
    "Enter",
    "EntityFields",
    "Leave",
    "Msg",
    "Node",
    "Outcome",
]
