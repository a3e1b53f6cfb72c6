"""Rabbitmq."""

from collections.abc import Mapping
from typing import Any, Final

from rules.node import SUCCESS, Category, Config, Emit, Msg, Outside, OutsideNode, TryAgain
from rules.node.leaving import endpoint, named, shown_body
from rules.node.template import Template
from thingsboard.kernel.outgoing.errors import Lost, NotSent

CONNECT_MS, HANDSHAKE_MS = 60_000, 10_000
LONGEST_CONNECT_S, LONGEST_HANDSHAKE_S, CONFIRM_S = 20.0, 10.0, 25.0
LONGEST_NAME: Final = 255  # bytes of an AMQP short string

_BYTES, _TEXT = "application/octet-stream", "text/plain"
# Those of RabbitMQ's Java client: content type, delivery mode (2: it survives the broker's restart), priority.
PROPERTIES: Final[Mapping[str, tuple[str | None, int | None, int | None]]] = {
    "BASIC": (_BYTES, 1, 0),
    "TEXT_PLAIN": (_TEXT, 1, 0),
    "MINIMAL_BASIC": (None, None, None),
    "MINIMAL_PERSISTENT_BASIC": (None, 2, None),
    "PERSISTENT_BASIC": (_BYTES, 2, 0),
    "PERSISTENT_TEXT_PLAIN": (_TEXT, 2, 0),
}


class RabbitmqConfig(Config, frozen=True):
    """The broker, and where in it a message goes. Times in ms."""

    exchange_name_pattern: str = ""
    routing_key_pattern: str = ""
    message_properties: str | None = None
    host: str | None = None
    port: int = 5672
    virtual_host: str = "/"
    username: str = "guest"
    password: str = "guest"  # noqa: S105 - RabbitMQ's own default
    automatic_recovery_enabled: bool = False
    connection_timeout: int = CONNECT_MS
    handshake_timeout: int = HANDSHAKE_MS
    client_properties: dict[str, str] = {}


class Rabbitmq(OutsideNode):
    """Publishes the message to a RabbitMQ exchange, or to a queue.

    Exchange and routing key may have `${metadataKey}` and `$[bodyKey]`. Without an exchange the routing key is the name of a
    queue. Messages leave by *Success* when RabbitMQ has confirmed them. An exchange that leads nowhere takes them all the same.

    Failure: an exchange or queue that is not there, a broker that is not permitted, or refuses. Where it is not there, or does
    not confirm, it is tried again; the broker may then get a message twice, with the same message id.
    """

    TYPE = "org.thingsboard.rule.engine.rabbitmq.TbRabbitMqNode"
    NAME = "rabbitmq"
    CATEGORY = Category.EXTERNAL
    CONFIG = RabbitmqConfig
    CONFIG_DIRECTIVE = "tbExternalNodeRabbitMqConfig"

    def __init__(self, config: RabbitmqConfig, name: str = "") -> None:
        super().__init__(config, name)
        if config.message_properties and config.message_properties not in PROPERTIES:
            raise ValueError(
                f"Undefined message properties type {config.message_properties!r}; expected one of {', '.join(PROPERTIES)}."
            )
        self._exchange = Template(config.exchange_name_pattern)
        self._routing_key = Template(config.routing_key_pattern)

    def destination(self, msg: Msg) -> str:
        """The broker."""
        self._filled(msg)
        return f"amqp://{endpoint(named(self.config.host, self.config.port, 'RabbitMQ'), self.config.port)}"

    def preview(self, msg: Msg) -> dict[str, Any]:
        """The publication."""
        exchange, routing_key = self._filled(msg)
        return {
            "broker": self.destination(msg),
            "virtualHost": self.config.virtual_host,
            "username": self.config.username,
            "exchange": exchange,
            "routingKey": routing_key,
            "properties": self.config.message_properties,
            "body": shown_body(msg.data.raw),
        }

    async def perform(self, outside: Outside, msg: Msg) -> Emit:
        """One publication."""
        from aiormq import spec

        from thingsboard.kernel.outgoing.amqp import Link, Server

        config = self.config
        exchange, routing_key = self._filled(msg)
        server = Server(
            named(config.host, config.port, "RabbitMQ"),
            config.port,
            config.virtual_host,
            config.username,
            config.password,
            _seconds(config.connection_timeout, LONGEST_CONNECT_S),
            _seconds(config.handshake_timeout, LONGEST_HANDSHAKE_S),
            tuple(sorted(config.client_properties.items())),
        )
        kind, mode, priority = PROPERTIES[config.message_properties or "MINIMAL_BASIC"]
        properties = spec.Basic.Properties(
            content_type=kind, delivery_mode=mode, priority=priority, message_id=outside.key.hex
        )
        try:
            async with outside.shared(("amqp", server), lambda: Link.open(outside.guard, server), Link.close) as link:
                await link.publish(exchange, routing_key, msg.data.raw, properties, CONFIRM_S)
        except (NotSent, Lost) as error:
            raise TryAgain(str(error)) from error
        return Emit(SUCCESS, msg)

    def _filled(self, msg: Msg) -> tuple[str, str]:
        filled = self._exchange.fill(msg), self._routing_key.fill(msg)
        for what, text in zip(("exchange", "routing key"), filled, strict=True):
            if len(text.encode()) > LONGEST_NAME or "\0" in text:
                raise ValueError(f"The {what} {text[:50]!r}... is too long; expected at most {LONGEST_NAME} bytes.")
        return filled


def _seconds(wanted_ms: int, longest_s: float) -> float:
    return min(wanted_ms / 1000, longest_s) if wanted_ms > 0 else longest_s
