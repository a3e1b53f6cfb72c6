"""One load test from login to table: devices, connections, sending, the last acknowledgements, reading back."""

import asyncio
import contextlib
import gc
import signal
import time
from collections.abc import Iterator, Sequence

from thingsboard.kernel.time import now_ms

from . import journal, packets
from .device import Identity
from .fleet import Fleet
from .options import Options
from .platform import Platform, PlatformError, device_name
from .progress import Bars, Step
from .readback import read_back
from .report import Report

WATCH_S = 0.5  # how often the bar moves
JOURNAL_S = 1.0  # how often the journal is written
INTERRUPTED_GRACE_S = 2.0
QOS0_SETTLE_S = 2.0  # without acknowledgements nothing tells when the last message is stored


async def run(options: Options, key: str, bars: Bars) -> Report:
    """Run one load test and return its report. `key` is the secret from which device tokens are derived.

    Ctrl-C or SIGTERM ends the sending and still brings the report; a second one cancels. Raises PlatformError when the
    platform's API fails before anything was sent, Unreachable when nobody listens for MQTT.
    """
    patience = options.max_outage if options.reconnect else 0.0
    async with Platform(options.url, options.username, options.password, key, patience) as platform:
        identities = await _identities(options, platform, bars)
        fleet = Fleet(options, identities, await _first_ts(options, platform, identities))
        report = Report(options.devices, options.points, options.qos, reconnect=options.reconnect)
        report.server_time = options.server_time
        with _signals(fleet, report):
            try:
                with bars.bar("Connecting", options.devices) as step:
                    await fleet.connect(step)
                report.started = now_ms()
                if options.journal:  # a place that cannot be written to is found out before, not after
                    _account(options, fleet, report.started, complete=False).write(options.journal)
                await _traffic(options, fleet, report, bars)
                report.finished = now_ms()
            finally:
                await fleet.close()
            _gather(report, fleet)
            account = _account(options, fleet, report.started, complete=True)
            if options.journal:
                account.write(options.journal)
            if options.readback:
                await _read_back(options, platform, account, report, bars)
    return report


async def _identities(options: Options, platform: Platform, bars: Bars) -> list[Identity]:
    if options.tokens:
        return [Identity(device_name(n), f"{options.tokens}{n:05d}") for n in range(1, options.devices + 1)]
    with bars.bar("Devices", options.devices) as step:
        return await platform.devices(options.devices, step)


async def _first_ts(options: Options, platform: Platform, identities: Sequence[Identity]) -> int:
    """The first time stamp: now, or after what an earlier run stored when it ran ahead of the clock."""
    base = now_ms()
    may_outrun = options.rate > 1000 * options.devices if options.rate else options.devices <= 100
    if may_outrun and not options.server_time and not options.tokens:
        newest = await platform.latest_ts([identity.id for identity in identities], packets.keys_of(1)[0])
        base = max(base, newest + 1)
    return base


async def _traffic(options: Options, fleet: Fleet, report: Report, bars: Bars) -> None:
    """Send and wait for the last acknowledgements. The figures of rate and CPU are of this part alone."""
    watchers = [asyncio.create_task(_write_journal(options, fleet, report.started))]
    gc.collect()
    gc.freeze()
    gc.disable()  # the hot path makes no cycles
    cpu = time.process_time()
    try:
        with bars.bar("Sending", options.duration, counted=False) as step:
            watchers.append(asyncio.create_task(_show(fleet, step)))
            report.seconds = await fleet.send()
            done = fleet.acknowledged if options.qos else fleet.sent
            report.rate = done / report.seconds if report.seconds else 0.0
            grace = max(options.grace, options.max_outage) if options.reconnect else options.grace
            await fleet.drain(min(grace, INTERRUPTED_GRACE_S) if report.interrupted else grace)
    finally:
        report.cpu_us = 1e6 * (time.process_time() - cpu) / max(1, fleet.sent)
        gc.enable()
        gc.unfreeze()
        for watcher in watchers:
            watcher.cancel()
        await asyncio.gather(*watchers, return_exceptions=True)


async def _show(fleet: Fleet, step: Step) -> None:
    start, before, then = time.monotonic(), 0, time.monotonic()
    while True:
        await asyncio.sleep(WATCH_S)
        now, done = time.monotonic(), fleet.acknowledged if fleet.options.qos else fleet.sent
        step(min(now - start, fleet.options.duration), f"{(done - before) / (now - then):,.0f} messages/s")
        before, then = done, now


async def _write_journal(options: Options, fleet: Fleet, started: int) -> None:
    """Write the journal every second, off the loop: the disk may take its time, the devices may not."""
    while options.journal:
        account = _account(options, fleet, started, complete=False)
        await asyncio.shield(asyncio.to_thread(account.write, options.journal))
        await asyncio.sleep(JOURNAL_S)


def _account(options: Options, fleet: Fleet, started: int, *, complete: bool) -> journal.Journal:
    keys = packets.keys_of(options.points)
    return journal.Journal(options.server_time, keys, started, now_ms(), complete, fleet.ledgers())


def _gather(report: Report, fleet: Fleet) -> None:
    latencies = fleet.traffic.latencies
    report.sent, report.acknowledged = fleet.sent, fleet.acknowledged
    report.unacknowledged, report.held_back = fleet.unacknowledged, fleet.held_back
    report.p50, report.p99, report.longest = latencies.quantile(0.5), latencies.quantile(0.99), latencies.longest
    report.refusals = fleet.refusals
    report.broken, report.reconnects, report.given_up = fleet.broken, fleet.reconnects, fleet.given_up


async def _read_back(
    options: Options, platform: Platform, account: journal.Journal, report: Report, bars: Bars
) -> None:
    """Compare, and keep the table of the run even when the platform's API fails now."""
    if not options.qos:
        await asyncio.sleep(QOS0_SETTLE_S)
    try:
        with bars.bar("Reading back", len(account.ledgers)) as step:
            report.findings = await read_back(platform, account, now_ms(), step)
    except PlatformError as error:
        report.readback_error = str(error)


@contextlib.contextmanager
def _signals(fleet: Fleet, report: Report) -> Iterator[None]:
    """The first Ctrl-C or SIGTERM ends the sending, the second ends everything."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()

    def on_signal() -> None:
        if report.interrupted and task is not None:
            task.cancel()
        report.interrupted = True
        fleet.stopped.set()

    handled = []
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):  # not in the main thread
            loop.add_signal_handler(number, on_signal)
            handled.append(number)
    try:
        yield
    finally:
        for number in handled:
            loop.remove_signal_handler(number)


async def verify(account: journal.Journal, options: Options, key: str, bars: Bars) -> Report:
    """Read back what an earlier run's journal says, without sending anything."""
    ledgers = account.ledgers
    report = Report(len(ledgers), len(account.keys), options.qos, server_time=account.server_time)
    report.sent = sum(ledger.sent for ledger in ledgers)
    report.acknowledged = sum(ledger.acknowledged_count for ledger in ledgers)
    patience = options.max_outage if options.reconnect else 0.0
    async with Platform(options.url, options.username, options.password, key, patience) as platform:
        await _read_back(options, platform, account, report, bars)
    return report
