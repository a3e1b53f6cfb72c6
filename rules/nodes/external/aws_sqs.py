"""AWS SQS."""

from rules.node import Category, Config
from rules.node.unavailable import UnavailableNode


class AwsSqsConfig(Config, frozen=True):
    """The queue, of which kind it is, and who sends."""

    NEW = {
        "queueType": "STANDARD",
        "queueUrlPattern": "https://sqs.us-east-1.amazonaws.com/123456789012/my-queue-name",
        "region": "us-east-1",
    }

    queue_type: str | None = None
    queue_url_pattern: str | None = None
    delay_seconds: int = 0
    message_attributes: dict[str, str] = {}
    access_key_id: str | None = None
    secret_access_key: str | None = None
    region: str | None = None


class AwsSqs(UnavailableNode):
    """Sends the body to a queue of AWS SQS.

    Not available yet: a message leaves by Failure. Chains with this node are imported and saved unchanged.
    """

    TYPE = "org.thingsboard.rule.engine.aws.sqs.TbSqsNode"
    NAME = "aws sqs"
    CATEGORY = Category.EXTERNAL
    CONFIG = AwsSqsConfig
    CONFIG_DIRECTIVE = "tbExternalNodeSqsConfig"
