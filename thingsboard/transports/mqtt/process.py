"""The life of the mqtt process: wait for the database, listen, watch the credentials, stop in good order."""

import asyncio
import logging
import resource
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

from django.conf import settings

from thingsboard.kernel.collector import tune_collector
from thingsboard.transports.activity import ActivityReporter
from thingsboard.transports.directory import Directory, Unavailable
from thingsboard.transports.mqtt.certificate import CertificateError
from thingsboard.transports.mqtt.limits import Counters, Limits
from thingsboard.transports.mqtt.listeners import Listener, from_settings
from thingsboard.transports.mqtt.metrics import MetricsPort
from thingsboard.transports.mqtt.port import IngestPort, Settle
from thingsboard.transports.mqtt.revocation import watch
from thingsboard.transports.mqtt.server import MqttServer
from thingsboard.transports.session import RUN_AHEAD_MS

log = logging.getLogger(__name__)

DATABASE_PATIENCE = 60.0  # seconds
DATABASE_PAUSE = 0.5
STOP_SECONDS = 10.0
# Files that are open besides the connections.
SPARE_FILES = 100

_started = time.monotonic()


class CannotStart(Exception):
    """Why the process ends before it listens, in one line for the operator."""


async def serve(make_ingest: Callable[[Settle, Callable[[], None]], IngestPort], number: int = 0) -> None:
    """Run until SIGTERM or SIGINT. Raises CannotStart. `number` counts the processes that share the port, from 0."""
    try:
        listeners = from_settings()
    except CertificateError as error:
        raise CannotStart(str(error)) from None
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, stopping.set)
    await wait_for_database(stopping)
    server = MqttServer(make_ingest, affordable(Limits.from_settings()), ActivityReporter("thingsboard mqtt activity"))
    watcher = asyncio.create_task(watch(server))
    watcher.add_done_callback(lambda _: stopping.set())  # without it, sessions would outlive their credentials
    reporter = asyncio.create_task(_report(server.counters))
    metrics = MetricsPort(server)
    try:
        if await _may_listen(stopping):
            await _listen(server, listeners)
            await _listen_for_prometheus(metrics, number)
            tune_collector()
            for listener in listeners:
                log.info("%s is ready on %s:%d.", listener.port.title, settings.TB_BIND, listener.port.number)
            await stopping.wait()
            log.info("MQTT is stopping.")
    finally:
        if watcher.done() and not watcher.cancelled():
            log.error("The watch over credentials ended, so the process does as well.", exc_info=watcher.exception())
        await metrics.stop()
        for task in (watcher, reporter):
            task.cancel()
        # Bounded: what is queued must be committed and acknowledged even if a task takes its time to end.
        await asyncio.wait((watcher, reporter), timeout=1)
        try:
            async with asyncio.timeout(STOP_SECONDS):
                if not await server.stop():
                    log.error("Not everything that was received could be stored; it was not acknowledged either.")
        except TimeoutError:
            log.error("The sessions did not end within %.0f s.", STOP_SECONDS)


def affordable(limits: Limits) -> Limits:
    """Raise the limit of open files as far as the connections need and the system allows; fewer connections if not far."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = limits.max_connections + SPARE_FILES
    unlimited = resource.RLIM_INFINITY
    if soft != unlimited and soft < wanted:
        soft = wanted if hard == unlimited else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft == unlimited or soft >= wanted:
        return limits
    possible = max(1, soft - SPARE_FILES)
    log.warning("Only %d connections are possible: the system allows %d open files.", possible, soft)
    return replace(limits, max_connections=possible)


async def wait_for_database(stopping: asyncio.Event, patience: float = DATABASE_PATIENCE) -> None:
    """Return when the devices' tables can be read or `stopping` is set. Raises CannotStart after `patience` seconds."""
    directory = Directory()
    deadline = time.monotonic() + patience
    try:
        while not stopping.is_set():
            try:
                await directory.ask([])
            except Unavailable as error:
                if time.monotonic() > deadline:
                    raise CannotStart(
                        f"The database could not be used within {patience:.0f} s ({error}). "
                        "Check DATABASE_URL, and that `manage.py migrate` was run."
                    ) from None
                await asyncio.sleep(DATABASE_PAUSE)
            else:
                return
    finally:
        await directory.close()


async def _may_listen(stopping: asyncio.Event) -> bool:
    """Wait until stamps that a killed predecessor gave ahead of the clock are past; False when told to stop meanwhile.

    A device's stamps may run ahead by RUN_AHEAD_MS (Connection._pace), and only the process that gave them knows.
    Without this pause a device that reconnects to the new process could be given a time stamp that its stored points
    have already.
    """
    with suppress(TimeoutError):
        await asyncio.wait_for(stopping.wait(), _started + RUN_AHEAD_MS / 1000 - time.monotonic())
    return not stopping.is_set()


async def _listen(server: MqttServer, listeners: Sequence[Listener]) -> None:
    try:
        await server.open()
    except Unavailable as error:
        raise CannotStart(f"The database went away at the start ({error}).") from None
    for listener in listeners:
        try:
            await server.listen(listener, settings.TB_BIND, reuse_port=settings.TB_MQTT_PROCESSES > 1)
        except OSError as error:
            raise CannotStart(
                f"Cannot listen on {settings.TB_BIND}:{listener.port.number} ({error.strerror or error}). "
                f"Set {listener.port.setting} or TB_BIND, or end the process that uses the port."
            ) from None


async def _listen_for_prometheus(metrics: MetricsPort, number: int) -> None:
    """Each process has a port of its own: what Prometheus reads must be one process' numbers."""
    if not settings.TB_MQTT_METRICS_PORT:
        return
    port = settings.TB_MQTT_METRICS_PORT + number
    try:
        await metrics.start(port)
    except (OSError, OverflowError) as error:
        raise CannotStart(
            f"Cannot listen on port {port} for metrics ({error}). Set TB_MQTT_METRICS_PORT, or end what uses the port."
        ) from None


async def _report(counters: Counters) -> None:
    """One line a while with what was refused: devices cannot make us write more than that."""
    try:
        while True:
            await asyncio.sleep(settings.TB_MQTT_REPORT_SECONDS)
            _say(counters.news())
    finally:
        _say(counters.news())


def _say(news: dict[str, int]) -> None:
    news.pop("probe", None)  # readiness checks are refused by design
    if news:
        log.warning("Refused or dropped: %s.", ", ".join(f"{reason} {count}" for reason, count in news.items()))
