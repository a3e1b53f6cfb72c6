"""Send SMS."""

from typing import Any

from rules.node import Category, Config
from rules.node.unavailable import UnavailableNode


class SendSmsConfig(Config, frozen=True):
    """To which numbers, what, and by whom: by the platform's provider or another one."""

    NEW = {
        "numbersToTemplate": "${userPhone}",
        "smsMessageTemplate": "${deviceName} is too hot: ${temp}",
        "useSystemSmsSettings": True,
    }

    numbers_to_template: str | None = None
    sms_message_template: str | None = None
    use_system_sms_settings: bool = False
    sms_provider_configuration: dict[str, Any] | None = None


class SendSms(UnavailableNode):
    """Sends a text message to phone numbers.

    Not available yet: a message leaves by Failure. Chains with this node are imported and saved unchanged.
    """

    TYPE = "org.thingsboard.rule.engine.sms.TbSendSmsNode"
    NAME = "send sms"
    CATEGORY = Category.EXTERNAL
    CONFIG = SendSmsConfig
    CONFIG_DIRECTIVE = "tbExternalNodeSendSmsConfig"
    ICON = "sms"
