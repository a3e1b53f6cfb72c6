"""Mqtt."""

import hashlib
import os
import secrets
import socket
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from rules.node import SUCCESS, Category, Config, Emit, Msg, Outside, OutsideNode, TryAgain
from rules.node.credentials import ANONYMOUS, Basic, Credentials, shown, tls_context
from rules.node.leaving import endpoint, named, payload, shown_body
from rules.node.template import Template
from thingsboard.kernel.outgoing.errors import Lost, NotSent

VERSIONS: Final = {"MQTT_3_1": 3, "MQTT_3_1_1": 4, "MQTT_5": 5}
LONGEST_ID = {3: 23, 4: 256, 5: 256}  # characters, as in ThingsBoard
LONGEST_CONNECT_S, ACKNOWLEDGE_S = 20, 30.0
LONGEST_TOPIC = 65_535  # bytes


class MqttConfig(Config, frozen=True):
    """The broker, how to connect to it, and the topic."""

    NEW: ClassVar[Mapping[str, Any]] = {"topicPattern": "my-topic", "cleanSession": True}

    topic_pattern: str = ""
    host: str | None = None
    port: int = 1883
    connect_timeout_sec: int = 10
    client_id: str | None = None
    append_client_id_suffix: bool = False
    retained_message: bool = False
    clean_session: bool = False
    ssl: bool = False
    parse_to_plain_text: bool = False
    protocol_version: str = "MQTT_3_1_1"
    credentials: Credentials = ANONYMOUS


class Mqtt(OutsideNode):
    """Publishes the message to another MQTT broker.

    The topic may have `${metadataKey}` and `$[bodyKey]`. Messages go with QoS 1, over one connection, and leave by *Success*
    when the broker has acknowledged them. A client id of one's own is in use once for each worker that does work outside: let a
    suffix be appended to it, or they take the connection from each other.

    Failure: a topic that is none, a broker that is not permitted, refuses, or is not whom it should be. Where it is not there,
    or does not acknowledge, it is tried again; the broker may then get a message twice.
    """

    TYPE = "org.thingsboard.rule.engine.mqtt.TbMqttNode"
    NAME = "mqtt"
    CATEGORY = Category.EXTERNAL
    VERSION = 2
    CONFIG = MqttConfig
    CONFIG_DIRECTIVE = "tbExternalNodeMqttConfig"
    ICON = "call_split"
    CLUSTERING = "USER_PREFERENCE"

    def __init__(self, config: MqttConfig, name: str = "") -> None:
        super().__init__(config, name)
        if config.protocol_version not in VERSIONS:
            raise ValueError(f"{config.protocol_version!r} is not a version; expected one of {', '.join(VERSIONS)}.")
        self._version = VERSIONS[config.protocol_version]
        self._topic = Template(config.topic_pattern)
        longest = LONGEST_ID[self._version]
        if len(self._client_id()) > longest:
            raise ValueError(
                f"The length of Client ID cannot be longer than {longest}, but current length is {len(self._client_id())}."
            )

    @classmethod
    def upgrade(cls, version: int, raw: dict[str, Any]) -> dict[str, Any]:
        """Version 0 knew no plain text, version 1 spoke MQTT 3.1 alone."""
        new = dict(raw)
        if version < 1:
            new.setdefault("parseToPlainText", False)
        if version < 2:
            new.setdefault("protocolVersion", "MQTT_3_1")
        return new

    def destination(self, msg: Msg) -> str:
        """The broker."""
        host = named(self.config.host, self.config.port, "the MQTT broker")
        self._filled(msg)
        return f"{'mqtts' if self.config.ssl else 'mqtt'}://{endpoint(host, self.config.port)}"

    def preview(self, msg: Msg) -> dict[str, Any]:
        """The publication."""
        return {
            "broker": self.destination(msg),
            "topic": self._filled(msg),
            "qos": 1,
            "retain": self.config.retained_message,
            "payload": shown_body(payload(msg, self.config.parse_to_plain_text)),
            "credentials": shown(self.config.credentials),
        }

    async def perform(self, outside: Outside, msg: Msg) -> Emit:
        """One publication."""
        from thingsboard.kernel.outgoing.mqtt import Link, Session

        config = self.config
        host = named(config.host, config.port, "the MQTT broker")
        basic = config.credentials if isinstance(config.credentials, Basic) else None

        async def opened() -> Link:
            session = Session(
                host,
                config.port,
                self._version,
                self._client_id() or f"tb-{secrets.token_hex(8)}",
                config.clean_session,
                None if basic is None else basic.username,
                None if basic is None else basic.password,
            )
            context = tls_context(config.credentials) if config.ssl else None
            within_s = min(config.connect_timeout_sec, LONGEST_CONNECT_S) if config.connect_timeout_sec > 0 else 10
            return await Link.open(outside.guard, session, context, within_s)

        own = (config.client_id, config.append_client_id_suffix, config.clean_session, self._version)
        key = ("mqtt", host, config.port, config.ssl, config.credentials, own)
        try:
            async with outside.shared(key, opened, Link.close) as link:
                body = payload(msg, config.parse_to_plain_text)
                await link.publish(self._filled(msg), body, config.retained_message, ACKNOWLEDGE_S)
        except (NotSent, Lost) as error:
            raise TryAgain(str(error)) from error
        return Emit(SUCCESS, msg)

    def _filled(self, msg: Msg) -> str:
        topic = self._topic.fill(msg)
        if not topic or len(topic.encode()) > LONGEST_TOPIC or any(letter in topic for letter in "#+\0"):
            raise ValueError(
                f"{topic[:200]!r} is not a topic; expected 1 to {LONGEST_TOPIC} bytes without #, + and zero."
            )
        return topic

    def _client_id(self) -> str:
        """As configured; "" for any. The suffix is another one in each process, and the same one for all its connections."""
        id: str = self.config.client_id or ""
        if not id or not self.config.append_client_id_suffix:
            return id
        process = f"{socket.gethostname()}/{os.getpid()}"
        return f"{id}_{hashlib.sha256(process.encode()).hexdigest()[:8]}"
