"""Send notification."""

from typing import Any

from rules.node import Category, Config
from rules.node.unavailable import UnavailableNode


class SendNotificationConfig(Config, frozen=True):
    """Whom to tell (ids of notification targets), by which template."""

    targets: tuple[str, ...] | None = None
    template_id: dict[str, Any] | None = None


class SendNotification(UnavailableNode):
    """Sends a notification, made of a template, to notification targets.

    Not available yet: a message leaves by Failure. Chains with this node are imported and saved unchanged.
    """

    TYPE = "org.thingsboard.rule.engine.notification.TbNotificationNode"
    NAME = "send notification"
    CATEGORY = Category.EXTERNAL
    CONFIG = SendNotificationConfig
    CONFIG_DIRECTIVE = "tbExternalNodeNotificationConfig"
    ICON = "notifications"
