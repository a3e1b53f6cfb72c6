"""AI request."""

from typing import Any

from rules.node import Category, Config
from rules.node.unavailable import UnavailableNode


class AiRequestConfig(Config, frozen=True):
    """The model, what it is told, in which form it answers, and how long it may take (s)."""

    NEW = {
        "systemPrompt": "You are a helpful assistant. Answer with one valid JSON object and with nothing else.",
        "responseFormat": {"type": "JSON"},
        "timeoutSeconds": 60,
        "forceAck": True,
    }

    model_id: dict[str, Any] | None = None
    system_prompt: str | None = None
    user_prompt: str | None = None
    response_format: dict[str, Any] | None = None
    timeout_seconds: int = 0
    force_ack: bool = False


class AiRequest(UnavailableNode):
    """Sends prompts to an AI model and puts its answer into the body.

    Not available yet: a message leaves by Failure. Chains with this node are imported and saved unchanged.
    """

    TYPE = "org.thingsboard.rule.engine.ai.TbAiNode"
    NAME = "AI request"
    CATEGORY = Category.EXTERNAL
    CONFIG = AiRequestConfig
    CONFIG_DIRECTIVE = "tbExternalNodeAiConfig"
