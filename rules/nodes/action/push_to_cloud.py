"""Push to cloud."""

from rules.node import Category, Config
from rules.node.unavailable import UnavailableNode
from telemetry.points import Scope


class PushToCloudConfig(Config, frozen=True):
    """In which scope attributes are saved there."""

    NEW = {"scope": Scope.SERVER.json}

    scope: str | None = None


class PushToCloud(UnavailableNode):
    """Pushes messages from an edge to the cloud.

    Not available yet: a message leaves by Failure. Chains with this node are imported and saved unchanged.
    """

    TYPE = "org.thingsboard.rule.engine.edge.TbMsgPushToCloudNode"
    NAME = "push to cloud"
    CATEGORY = Category.ACTION
    CONFIG = PushToCloudConfig
    CONFIG_DIRECTIVE = "tbActionNodePushToCloudConfig"
    ICON = "cloud_upload"
    CHAIN_TYPES = ("EDGE",)
