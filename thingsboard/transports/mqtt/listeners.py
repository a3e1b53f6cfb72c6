"""The listeners of one process: which layers stand between each port's sockets and the connections."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.conf import settings

from thingsboard.transports.mqtt.certificate import Certificate, own_certificate
from thingsboard.transports.mqtt.flow import Flow
from thingsboard.transports.mqtt.ports import Port, open_ports
from thingsboard.transports.mqtt.proxy import Network, ProxyHeader
from thingsboard.transports.mqtt.tls import Tls
from thingsboard.transports.mqtt.websocket import WebSocket

Wrap = Callable[[Flow], asyncio.Protocol]


@dataclass(frozen=True, slots=True)
class Listener:
    """A port, and what a new connection is wrapped into: the protocol that gets the socket."""

    port: Port
    wrap: Wrap


def plain(port: int) -> Listener:
    """MQTT straight on TCP."""
    return Listener(Port("mqtt", "TB_MQTT_PORT", port, "MQTT"), lambda flow: flow)


def layered(port: Port, certificate: Certificate | None = None, proxies: Sequence[Network] | None = None) -> Listener:
    """Put the port's layers on each other; `proxies` when every connection begins with a header of one of these networks.

    Where nothing is to be put there, a connection is its socket's own protocol.
    """

    def wrap(flow: Flow) -> asyncio.Protocol:
        protocol: asyncio.Protocol = flow
        if port.websocket:
            protocol = WebSocket(flow, protocol)
        if certificate is not None and port.tls:
            protocol = Tls(flow, protocol, certificate)
        if proxies is not None:
            protocol = ProxyHeader(flow, protocol, proxies)
        return protocol

    return Listener(port, wrap)


def from_settings() -> list[Listener]:
    """As the TB_MQTT_* settings say, plain MQTT first. Raises CertificateError."""
    certificate = own_certificate()
    proxies = settings.TB_MQTT_PROXY_TRUSTED if settings.TB_MQTT_PROXY_PROTOCOL else None
    return [layered(port, certificate, proxies) for port in open_ports()]
