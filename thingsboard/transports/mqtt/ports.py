"""Which ports the settings open for MQTT. Only settings are read here, so that the supervisor can ask without the server."""

from dataclasses import dataclass

from django.conf import settings


@dataclass(frozen=True, slots=True)
class Port:
    """One listener: its name, the setting of its number, and which layers stand on TCP."""

    name: str
    setting: str
    number: int
    title: str
    tls: bool = False
    websocket: bool = False


def open_ports() -> list[Port]:
    """The listeners, plain MQTT first. TLS needs a certificate; a WebSocket port of 0 is off."""
    ports = [Port("mqtt", "TB_MQTT_PORT", settings.TB_MQTT_PORT, "MQTT")]
    if has_certificate():
        ports.append(Port("mqtts", "TB_MQTT_SSL_PORT", settings.TB_MQTT_SSL_PORT, "MQTT over TLS", tls=True))
    if settings.TB_MQTT_WS_PORT:
        ports.append(Port("ws", "TB_MQTT_WS_PORT", settings.TB_MQTT_WS_PORT, "MQTT over WebSocket", websocket=True))
    if settings.TB_MQTT_WSS_PORT and has_certificate():
        title = "MQTT over WebSocket and TLS"
        ports.append(Port("wss", "TB_MQTT_WSS_PORT", settings.TB_MQTT_WSS_PORT, title, tls=True, websocket=True))
    return ports


def has_certificate() -> bool:
    """Whether certificate and key are named."""
    return bool(settings.TB_MQTT_SSL_CERT and settings.TB_MQTT_SSL_KEY)
