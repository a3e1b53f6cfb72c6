"""Push to edge."""

from rules.node import Category, Config
from rules.node.unavailable import UnavailableNode
from telemetry.points import Scope


class PushToEdgeConfig(Config, frozen=True):
    """In which scope attributes are saved there."""

    NEW = {"scope": Scope.SERVER.json}

    scope: str | None = None


class PushToEdge(UnavailableNode):
    """Pushes messages from the cloud to the edges of their originator.

    Not available yet: a message leaves by Failure. Chains with this node are imported and saved unchanged.
    """

    TYPE = "org.thingsboard.rule.engine.edge.TbMsgPushToEdgeNode"
    NAME = "push to edge"
    CATEGORY = Category.ACTION
    CONFIG = PushToEdgeConfig
    CONFIG_DIRECTIVE = "tbActionNodePushToEdgeConfig"
    ICON = "cloud_download"
    CHAIN_TYPES = ("CORE",)
