"""The numbers of an mqtt process, and the port on which Prometheus reads them."""

import asyncio
import logging
from collections.abc import Iterable
from email.parser import BytesHeaderParser

from django.conf import settings
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from thingsboard.transports.metrics import (
    CONTENT_TYPE,
    Exposition,
    backlog,
    exposition,
    gauge,
    house,
    ingest,
    labelled,
    permitted,
    tokens,
)
from thingsboard.transports.mqtt.flow import AHEAD, CONTROL, FULL, READY, UNACKED, WITHHELD
from thingsboard.transports.mqtt.server import MqttServer

log = logging.getLogger(__name__)

LOOPBACK = "127.0.0.1"
MAX_REQUEST = 8192  # bytes
REQUEST_SECONDS = 5.0
MAX_READERS = 20

_PAUSES = {"full": FULL, "unacknowledged": UNACKED, "ahead": AHEAD, "control": CONTROL, "backlog": WITHHELD}


class FrontCollector(Collector):
    """Reads a server when Prometheus asks."""

    def __init__(self, server: MqttServer) -> None:
        self._server = server

    def collect(self) -> Iterable[Metric]:
        """Every family, in the order of docs/reference/metrics.md."""
        yield from self._connections()
        yield from ingest(self._server.ingest.batcher)
        yield from tokens(self._server.broker.auth.tokens)
        yield from backlog(self._server.withholding.watch)
        yield from house(self._server.refusals)

    def _connections(self) -> Iterable[Metric]:
        server = self._server
        ready = [each for each in server.connections if each.state == READY]
        five = sum(each.five is not None for each in ready)
        yield labelled(
            GaugeMetricFamily("thingsboard_mqtt_sessions", "Devices that are connected.", labels=["version"]),
            [("3", len(ready) - five), ("5", five)],
        )
        yield gauge("mqtt_connections", "TCP connections, also those without a session yet.", len(server.connections))
        yield gauge("mqtt_connections_limit", "As many there may be.", server.limits.max_connections)
        yield labelled(
            GaugeMetricFamily(
                "thingsboard_mqtt_paused_sessions", "Sessions that are not read, and why.", labels=["reason"]
            ),
            [(reason, sum(bool(each.held & bit) for each in ready)) for reason, bit in _PAUSES.items()],
        )
        unacked = sum(each.unacked for each in server.connections)
        yield gauge("mqtt_unacknowledged_messages", "Messages that wait for their commit.", unacked)
        yield labelled(
            CounterMetricFamily("thingsboard_mqtt_connects", "Devices that were let in.", labels=["version"]),
            server.connects.items(),
        )
        yield labelled(
            CounterMetricFamily(
                "thingsboard_mqtt_refusals", "Connects, sessions and messages that were refused or ended, and why.",
                labels=["reason"],
            ),
            server.counters.by_reason.items(),
        )  # fmt: skip


class MetricsPort:
    """Answers GET /metrics, nothing else, over HTTP/1.1 without keep-alive.

    With TB_METRICS_TOKEN it listens where the other listeners do and wants the token; without, on the loopback alone.
    """

    def __init__(self, server: MqttServer) -> None:
        self._exposition: Exposition = exposition(FrontCollector(server))
        self._listener: asyncio.Server | None = None
        self._readers = 0
        self.port = 0

    async def start(self, port: int) -> None:
        """Listen; port 0 takes any. Raises OSError."""
        host = settings.TB_BIND if settings.TB_METRICS_TOKEN else LOOPBACK
        self._listener = await asyncio.start_server(self._serve, host, port, limit=MAX_REQUEST)
        self.port = self._listener.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Listen no more."""
        if self._listener is not None:
            self._listener.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._readers += 1
        try:
            if self._readers <= MAX_READERS:
                async with asyncio.timeout(REQUEST_SECONDS):
                    writer.write(self._answer(await reader.readuntil(b"\r\n\r\n")))
                    await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError, TimeoutError):
            pass  # whoever asks so gets no answer
        finally:
            self._readers -= 1
            writer.close()

    def _answer(self, request: bytes) -> bytes:
        line, _, rest = request.partition(b"\r\n")
        if settings.TB_METRICS_TOKEN:
            headers = BytesHeaderParser().parsebytes(rest)
            if not permitted(str(headers.get("Authorization", ""))):
                return _response(b"401 Unauthorized", b"Expected Authorization: Bearer and TB_METRICS_TOKEN.\n")
        if line.split(b"?")[0].split()[:2] != [b"GET", b"/metrics"]:
            return _response(b"404 Not Found", b"Expected GET /metrics.\n")
        return _response(b"200 OK", self._exposition.render(), CONTENT_TYPE.encode())


def _response(status: bytes, body: bytes, content_type: bytes = b"text/plain; charset=utf-8") -> bytes:
    return b"HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (
        status, content_type, len(body), body,
    )  # fmt: skip
