"""Rule chains, their nodes, connections and versions; queues; the epoch of ingest plans; debug events and traces."""

from rules.models.chain import RuleChain, RuleChainType
from rules.models.epoch import PlanEpoch
from rules.models.event import EventType, RuleEvent
from rules.models.node import RuleConnection, RuleNode
from rules.models.queue import Queue
from rules.models.trace import DebugBudget, Trace, TraceDemand
from rules.models.version import RuleChainVersion
from rules.models.waiting import HeldMessage, NodeState

__all__ = [
    "DebugBudget",
    "EventType",
    "HeldMessage",
    "NodeState",
    "PlanEpoch",
    "Queue",
    "RuleChain",
    "RuleChainType",
    "RuleChainVersion",
    "RuleConnection",
    "RuleEvent",
    "RuleNode",
    "Trace",
    "TraceDemand",
]
