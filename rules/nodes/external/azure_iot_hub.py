"""Azure IoT Hub."""

from typing import Any

from rules.node import Category, Config
from rules.node.unavailable import UnavailableNode


class AzureIotHubConfig(Config, frozen=True):
    """The hub, the topic, and who publishes. The members are those of ThingsBoard's node "mqtt"."""

    NEW = {
        "topicPattern": "devices/<device_id>/messages/events/",
        "host": "<iot-hub-name>.azure-devices.net",
        "port": 8883,
        "connectTimeoutSec": 10,
        "cleanSession": True,
        "ssl": True,
        "protocolVersion": "MQTT_3_1_1",
        "credentials": {"type": "sas", "sasKey": None, "caCert": None},
    }

    topic_pattern: str | None = None
    host: str | None = None
    port: int = 0
    connect_timeout_sec: int = 0
    client_id: str | None = None
    append_client_id_suffix: bool = False
    retained_message: bool = False
    clean_session: bool = False
    ssl: bool = False
    parse_to_plain_text: bool = False
    protocol_version: str | None = None
    credentials: dict[str, Any] | None = None


class AzureIotHub(UnavailableNode):
    """Publishes the body to an Azure IoT Hub.

    Not available yet: a message leaves by Failure. Chains with this node are imported and saved unchanged.
    """

    TYPE = "org.thingsboard.rule.engine.mqtt.azure.TbAzureIotHubNode"
    NAME = "azure iot hub"
    CATEGORY = Category.EXTERNAL
    VERSION = 1
    CONFIG = AzureIotHubConfig
    CONFIG_DIRECTIVE = "tbExternalNodeAzureIotHubConfig"
    CLUSTERING = "SINGLETON"

    @classmethod
    def upgrade(cls, version: int, raw: dict[str, Any]) -> dict[str, Any]:
        """Version 0 spoke MQTT 3.1.1 without saying so."""
        return raw if version > 0 else {"protocolVersion": "MQTT_3_1_1", **raw}
