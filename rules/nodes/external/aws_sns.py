"""AWS SNS."""

from rules.node import Category, Config
from rules.node.unavailable import UnavailableNode


class AwsSnsConfig(Config, frozen=True):
    """The topic, and who publishes."""

    NEW = {"topicArnPattern": "arn:aws:sns:us-east-1:123456789012:MyNewTopic", "region": "us-east-1"}

    topic_arn_pattern: str | None = None
    access_key_id: str | None = None
    secret_access_key: str | None = None
    region: str | None = None


class AwsSns(UnavailableNode):
    """Publishes the body to a topic of AWS SNS.

    Not available yet: a message leaves by Failure. Chains with this node are imported and saved unchanged.
    """

    TYPE = "org.thingsboard.rule.engine.aws.sns.TbSnsNode"
    NAME = "aws sns"
    CATEGORY = Category.EXTERNAL
    CONFIG = AwsSnsConfig
    CONFIG_DIRECTIVE = "tbExternalNodeSnsConfig"
