"""Kafka."""

import codecs
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from rules.node import SUCCESS, Category, Config, Emit, Msg, Outside, OutsideNode, TryAgain
from rules.node.kafka_properties import LARGEST_BUFFER_KB, LONGEST_DELIVERY_MS, servers, translated
from rules.node.leaving import endpoint, shown_body, shown_headers
from rules.node.template import Template
from thingsboard.kernel.outgoing.errors import Lost, NotSent

METADATA_PREFIX: Final = "tb_msg_md_"
ACKS: Final = ("all", "-1", "0", "1")
LONGEST_LINGER_MS = 5_000
CONFIRM_S: Final = LONGEST_DELIVERY_MS / 1000 + 2
LONGEST_TOPIC: Final = 249


class KafkaConfig(Config, frozen=True):
    """The cluster, and where in it a message goes."""

    NEW: ClassVar[Mapping[str, Any]] = {"topicPattern": "my-topic", "bootstrapServers": "localhost:9092"}

    topic_pattern: str = ""
    key_pattern: str | None = None
    bootstrap_servers: str = ""
    retries: int = 0
    batch_size: int = 16_384
    linger: int = 0
    buffer_memory: int = 33_554_432
    acks: str = "-1"
    other_properties: dict[str, str] = {}
    add_metadata_key_values_as_kafka_headers: bool = False
    kafka_headers_charset: str = "UTF-8"


class Kafka(OutsideNode):
    """Sends the message to a Kafka topic.

    Topic and key may have `${metadataKey}` and `$[bodyKey]`; a record with a key goes to the partition to which Kafka's Java
    client sends it. The metadata of the outgoing message tell `topic`, `partition` and `offset`; those of the incoming one may
    go along as headers, whose names begin with `tb_msg_md_`. Other properties are named as in Java; certificates are PEM
    text, never files.

    Failure: a cluster that is not permitted, names servers that are not, or refuses; a topic or record that it does not take.
    Where it does not acknowledge, it is tried again; the cluster may then get a record twice.
    """

    TYPE = "org.thingsboard.rule.engine.kafka.TbKafkaNode"
    NAME = "kafka"
    CATEGORY = Category.EXTERNAL
    VERSION = 1
    CONFIG = KafkaConfig
    CONFIG_DIRECTIVE = "tbExternalNodeKafkaConfig"

    def __init__(self, config: KafkaConfig, name: str = "") -> None:
        super().__init__(config, name)
        if config.acks not in ACKS:
            raise ValueError(f"acks is {config.acks!r}; expected one of {', '.join(ACKS)}.")
        try:
            codecs.lookup(config.kafka_headers_charset)
        except LookupError:
            raise ValueError(f"{config.kafka_headers_charset!r} is not a charset.") from None
        self._servers = servers(config.bootstrap_servers)
        self._topic = Template(config.topic_pattern)
        self._key = Template(config.key_pattern) if config.key_pattern else None
        self._settings = {
            "client.id": "producer-tb-kafka-node",
            "message.timeout.ms": LONGEST_DELIVERY_MS,
            "partitioner": "murmur2_random",  # the Java client's
            "acks": "all" if config.acks == "-1" else config.acks,
            "retries": max(0, config.retries),
            "batch.size": max(1, config.batch_size),
            "linger.ms": min(max(0, config.linger), LONGEST_LINGER_MS),
            "queue.buffering.max.kbytes": min(max(1, config.buffer_memory // 1024), LARGEST_BUFFER_KB),
            "log_level": 3,
            **translated(config.other_properties),
        }

    @classmethod
    def upgrade(cls, version: int, raw: dict[str, Any]) -> dict[str, Any]:
        """Version 0 named its serializers, which are Strings'."""
        if version >= 1:
            return raw
        return {name: value for name, value in raw.items() if name not in ("keySerializer", "valueSerializer")}

    def destination(self, msg: Msg) -> str:
        """The bootstrap servers."""
        self._filled(msg)
        return "kafka://" + ",".join(endpoint(host, port) for host, port in self._servers)

    def preview(self, msg: Msg) -> dict[str, Any]:
        """The record."""
        return {
            "servers": self.destination(msg),
            "topic": self._filled(msg),
            "key": None if self._key is None else self._key.fill(msg),
            "headers": shown_headers((name, value.decode("utf-8", "replace")) for name, value in self._headers(msg)),
            "value": shown_body(msg.data.raw),
            "properties": shown_headers(
                (name, value) for name, value in self.config.other_properties.items() if name != "sasl.jaas.config"
            ),
        }

    async def perform(self, outside: Outside, msg: Msg) -> Emit:
        """One record."""
        from thingsboard.kernel.outgoing.kafka import Link, Record

        key = None if self._key is None else self._key.fill(msg).encode()
        record = Record(self._filled(msg), msg.data.raw, key, self._headers(msg))
        shared = ("kafka", tuple(self._servers), tuple(sorted(self._settings.items(), key=lambda item: item[0])))
        try:
            async with outside.shared(
                shared, lambda: Link.open(outside.guard, self._servers, self._settings), Link.close
            ) as link:
                stored = await link.produce(record, CONFIRM_S)
        except (NotSent, Lost) as error:
            raise TryAgain(str(error)) from error
        told = {"offset": str(stored.offset), "partition": str(stored.partition), "topic": stored.topic}
        return Emit(SUCCESS, msg.with_metadata(**told))

    def _headers(self, msg: Msg) -> list[tuple[str, bytes]]:
        if not self.config.add_metadata_key_values_as_kafka_headers:
            return []
        charset = self.config.kafka_headers_charset
        return [(METADATA_PREFIX + name, value.encode(charset, "replace")) for name, value in msg.metadata.items()]

    def _filled(self, msg: Msg) -> str:
        topic = self._topic.fill(msg)
        if not 0 < len(topic) <= LONGEST_TOPIC or not all(c.isascii() and (c.isalnum() or c in "._-") for c in topic):
            raise ValueError(
                f"{topic[:300]!r} is not a Kafka topic; expected 1 to {LONGEST_TOPIC} letters, digits, dots, _ and -."
            )
        return topic
