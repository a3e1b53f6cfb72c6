"""GET /metrics of the web process: the numbers of the HTTP device API, for who has TB_METRICS_TOKEN."""

from collections.abc import Iterable

from prometheus_client.core import CounterMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from telemetry.live.hub import hub
from thingsboard.transports.http.app import DeviceApi, Receive, Scope, Send
from thingsboard.transports.metrics import (
    CONTENT_TYPE,
    backlog,
    counter,
    exposition,
    gauge,
    house,
    ingest,
    labelled,
    permitted,
    tokens,
)

PATH = "/metrics"


class DeviceApiCollector(Collector):
    """Reads a device API when Prometheus asks; its pipeline is there from the first request on."""

    def __init__(self, devices: DeviceApi) -> None:
        self._devices = devices

    def collect(self) -> Iterable[Metric]:
        """Every family, in the order of docs/reference/metrics.md."""
        devices = self._devices
        yield labelled(
            CounterMetricFamily("thingsboard_http_requests", "Requests of devices, by status.", labels=["status"]),
            [(str(status), count) for status, count in devices.answered.items()],
        )
        if devices.pipeline is not None:
            yield from ingest(devices.pipeline.ingest.batcher)
            yield from tokens(devices.pipeline.tokens)
            yield from backlog(devices.pipeline.withholding.watch)
        yield from house(devices.refusals)
        yield from _live()


def _live() -> Iterable[Metric]:
    """Of live subscriptions."""
    ours = hub()
    yield gauge("live_sockets", "WebSockets that are signed in.", len(ours.sockets))
    yield gauge("live_subscriptions", "Their subscriptions.", ours.subscriptions)
    yield gauge("live_watched_entities", "Entities that are watched.", ours.watched)
    yield counter("live_losses", "Times that all subscriptions read anew because news may be missing.", ours.losses)


class MetricsApp:
    """An ASGI application. Without TB_METRICS_TOKEN there is no such path: a proxy may make everybody look local."""

    def __init__(self, devices: DeviceApi) -> None:
        self._exposition = exposition(DeviceApiCollector(devices))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        headers = dict(scope["headers"])
        if permitted(headers.get(b"authorization", b"").decode("latin-1")) and scope["method"] in ("GET", "HEAD"):
            status, kind, body = 200, CONTENT_TYPE.encode(), self._exposition.render()
        else:
            status, kind, body = 404, b"text/plain; charset=utf-8", b"Not found.\n"
        about = [(b"content-type", kind), (b"content-length", b"%d" % len(body)), (b"cache-control", b"no-store")]
        await send({"type": "http.response.start", "status": status, "headers": about})
        await send({"type": "http.response.body", "body": body})
