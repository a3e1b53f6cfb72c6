"""GCP Pub/Sub."""

from rules.node import Category, Config
from rules.node.unavailable import UnavailableNode


class GcpPubsubConfig(Config, frozen=True):
    """The topic, and who publishes."""

    NEW = {"projectId": "my-google-cloud-project-id", "topicName": "my-pubsub-topic-name"}

    project_id: str | None = None
    topic_name: str | None = None
    message_attributes: dict[str, str] = {}
    service_account_key: str | None = None
    service_account_key_file_name: str | None = None


class GcpPubsub(UnavailableNode):
    """Publishes the body to a topic of Google Cloud Pub/Sub.

    Not available yet: a message leaves by Failure. Chains with this node are imported and saved unchanged.
    """

    TYPE = "org.thingsboard.rule.engine.gcp.pubsub.TbPubSubNode"
    NAME = "gcp pubsub"
    CATEGORY = Category.EXTERNAL
    CONFIG = GcpPubsubConfig
    CONFIG_DIRECTIVE = "tbExternalNodePubSubConfig"
