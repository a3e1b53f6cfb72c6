"""What a connection may use at most, and what is counted when it goes beyond."""

from dataclasses import dataclass, field
from typing import Self

from django.conf import settings

from thingsboard.transports.mqtt.packets import Malformed

# A device's longest useful topic is far below this; the largest packet is payload + topic + 7.
MAX_TOPIC = 512
# The first packet comes before we know who is there, so it gets less room.
MAX_CONNECT = 8192
# All bytes of a WebSocket before its CONNECT is complete, the HTTP request included.
MAX_EARLY = 4 * MAX_CONNECT
# SUBSCRIBE and UNSUBSCRIBE on their way through amqtt before a connection is read no further.
MAX_CONTROL = 16
# Different reasons in a Counters; what comes after is counted as "other".
MAX_REASONS = 64


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one listener: seconds, bytes and counts."""

    connect_timeout: float
    idle_timeout: float
    max_payload: int
    max_connections: int
    max_unacked: int
    write_buffer: int

    @classmethod
    def from_settings(cls) -> Self:
        """As the TB_MQTT_* settings say."""
        return cls(
            connect_timeout=settings.TB_MQTT_CONNECT_TIMEOUT,
            idle_timeout=settings.TB_MQTT_IDLE_TIMEOUT,
            max_payload=settings.TB_MQTT_MAX_PAYLOAD,
            max_connections=settings.TB_MQTT_MAX_CONNECTIONS,
            max_unacked=settings.TB_MQTT_MAX_UNACKED,
            write_buffer=settings.TB_MQTT_WRITE_BUFFER,
        )

    def check_packet(self, length: int) -> None:
        """Raise Malformed when a remaining length (bytes) leaves no doubt that the payload is too large."""
        if length > self.max_payload + MAX_TOPIC + 7:
            raise Malformed("packet_size")


@dataclass(slots=True)
class Counters:
    """How often something happened, by reason; bounded."""

    by_reason: dict[str, int] = field(default_factory=dict)
    told: dict[str, int] = field(default_factory=dict)  # what `news` has told already

    def count(self, reason: str) -> None:
        """Count one."""
        if reason not in self.by_reason and len(self.by_reason) >= MAX_REASONS:
            reason = "other"
        self.by_reason[reason] = self.by_reason.get(reason, 0) + 1

    def news(self) -> dict[str, int]:
        """What was counted since the last call, by reason."""
        fresh = {reason: n - self.told.get(reason, 0) for reason, n in self.by_reason.items()}
        self.told = dict(self.by_reason)
        return {reason: n for reason, n in sorted(fresh.items()) if n}
