"""Rule chains, their nodes, connections and versions; queues; the epoch of ingest plans."""

from rules.models.chain import RuleChain, RuleChainType
from rules.models.epoch import PlanEpoch
from rules.models.node import RuleConnection, RuleNode
from rules.models.queue import Queue
from rules.models.version import RuleChainVersion

__all__ = [
    "PlanEpoch",
    "Queue",
    "RuleChain",
    "RuleChainType",
    "RuleChainVersion",
    "RuleConnection",
    "RuleNode",
]
