"""What a rule node is written against: messages, outcomes, its base classes and the context, its only door to the world."""

from rules.node.base import Category, EachNode, Node
from rules.node.config import Config
from rules.node.context import Context, EntityFields
from rules.node.message import Body, Msg
from rules.node.outcome import (
    AT_ONCE,
    CONSUMED,
    FAILURE,
    FALSE,
    SUCCESS,
    TRUE,
    Emit,
    Enter,
    Going,
    Leave,
    Outcome,
    Suspend,
    Wait,
)
from rules.node.outside import Outside, OutsideNode, TryAgain

__all__ = [
    "AT_ONCE",
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
    "Going",
    "Leave",
    "Msg",
    "Node",
    "Outcome",
    "Outside",
    "OutsideNode",
    "Suspend",
    "TryAgain",
    "Wait",
]
