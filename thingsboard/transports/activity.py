"""Tells the platform which devices were heard, whatever protocol they speak (devices.services.activity).

Nothing is done per message but what a transport does anyway. Every TB_ACTIVITY_REPORT_SECONDS it is asked whom it heard
since, and that is written in batches by a thread with a connection of its own. While the database is away, what is known
of a device is merged; nothing waits for it.
"""

import asyncio
import logging
import uuid
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

import psycopg
from django.conf import settings

from devices.services.activity import Report, record
from telemetry.bulk import Connection
from telemetry.store.connect import connect
from thingsboard.kernel.time import now_ms

log = logging.getLogger(__name__)

# Devices of which something is known that is not written yet; beyond, others are not reported until it is.
MOST_DEVICES = 100_000
AT_ONCE = 1000
STATEMENT_TIMEOUT = "10s"
# For the last report when the process stops, in seconds.
LAST_SECONDS = 1.5

# Who was heard since the last call, each device at most once, and when (ms).
Collect = Callable[[], Iterable[tuple[uuid.UUID, int]]]


class ActivityReporter:
    """Belongs to one event loop; its methods are called there."""

    def __init__(self, application: str) -> None:
        """`application` is how the server's list of connections names ours."""
        self._fresh: dict[uuid.UUID, Report] = {}
        self._writer = _Writer(application)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="activity")
        self._task: asyncio.Task[None] | None = None
        self._collect: Collect = tuple

    def start(self, collect: Collect | None = None) -> None:
        """Report from now on; `collect` says who was heard, beside those of `heard`."""
        self._collect = collect or self._collect
        self._task = asyncio.get_running_loop().create_task(self._run())

    def connected(self, device_id: uuid.UUID) -> None:
        """A session of the device begins now."""
        now = now_ms()
        self._add(Report(device_id, now, connected=now))

    def heard(self, device_id: uuid.UUID) -> None:
        """The device says something, for transports that are not asked."""
        known = self._fresh.get(device_id)
        now = now_ms()
        if known is None or known.last_activity < now:
            self._add(Report(device_id, now))

    def disconnected(self, device_id: uuid.UUID, last_activity: int, *, replaced: bool = False) -> None:
        """A session of the device ended now, which was last heard then (ms); `replaced`: by a newer one, so it goes on."""
        self._add(Report(device_id, last_activity, disconnected=0 if replaced else now_ms()))

    async def close(self) -> bool:
        """Write what is known, within LAST_SECONDS; False when that failed."""
        if self._task is not None:
            self._task.cancel()
        try:
            async with asyncio.timeout(LAST_SECONDS):
                return await self._report()
        except TimeoutError:
            return False
        finally:
            self._thread.submit(self._writer.close)
            self._thread.shutdown(wait=False)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(settings.TB_ACTIVITY_REPORT_SECONDS)
            try:
                await self._report()
            except Exception:
                log.exception("The activity of devices could not be reported.")

    async def _report(self) -> bool:
        """One report, begun only when the one before it is over; False when the database did not take it."""
        fresh, self._fresh = self._fresh, {}
        heard = self._collect()
        writing = asyncio.get_running_loop().run_in_executor(self._thread, self._writer.write, fresh, heard)
        return await asyncio.shield(writing)  # what was handed over is written, also when nobody waits any more

    def _add(self, report: Report) -> None:
        _merge(self._fresh, report)


class _Writer:
    """Lives in the reporter's thread."""

    def __init__(self, application: str) -> None:
        self._application = application
        self._connection: Connection | None = None
        self._kept: dict[uuid.UUID, Report] = {}  # not written yet

    def write(self, fresh: dict[uuid.UUID, Report], heard: Iterable[tuple[uuid.UUID, int]]) -> bool:
        """Write it and what was left over; False when the database cannot be reached, then everything is kept."""
        for device_id, last_activity in heard:
            _merge(self._kept, Report(device_id, last_activity))
        for report in fresh.values():
            _merge(self._kept, report)
        waiting = sorted(self._kept, key=_in_order)
        try:
            for start in range(0, len(waiting), AT_ONCE):
                self._record(waiting[start : start + AT_ONCE])
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            log.warning("The activity of %d devices waits for the database: %s", len(self._kept), error)
            self.close()
            return False
        return True

    def close(self) -> None:
        """Let the connection go."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _record(self, device_ids: list[uuid.UUID]) -> None:
        """Write a part and forget it. Raises OperationalError, InterfaceError; any other error would come again, so the
        part is given up.
        """
        if self._connection is None or self._connection.closed:
            self._connection = connect(self._application)
            self._connection.execute(f"SET statement_timeout = '{STATEMENT_TIMEOUT}'")
        try:
            record(self._connection, [self._kept[each] for each in device_ids])
        except (psycopg.OperationalError, psycopg.InterfaceError):
            raise
        except Exception:
            log.exception("The activity of %d devices is given up.", len(device_ids))
        for each in device_ids:
            del self._kept[each]


def _in_order(device_id: uuid.UUID) -> int:
    """PostgreSQL's order of UUIDs; to compare the objects themselves takes ten times as long."""
    return device_id.int


def _merge(into: dict[uuid.UUID, Report], report: Report) -> None:
    known = into.get(report.device_id)
    if known is not None:
        into[report.device_id] = known.merged(report)
    elif len(into) < MOST_DEVICES:
        into[report.device_id] = report
