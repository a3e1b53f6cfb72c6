"""The five things without which the platform does not work. Each check raises an exception whose text may be shown."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import redis
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection

from thingsboard.celery import app
from thingsboard.kernel.disk import watch

TIMEOUT = 3.0  # seconds, for all checks together: they run side by side
WORKER_TIMEOUT = 1.5  # seconds
WORKER_CACHE = 2.0  # seconds; a ping is a broadcast to all workers

# An MQTT CONNECT of a protocol level that never was: every broker must refuse it (ours with 0x84) and close
# (MQTT 3.1.1, 3.1.2.2), without looking anybody up. A mere TCP connect would succeed while the process hangs.
_STRANGE_CONNECT = bytes.fromhex("100e00044d5154547f02000a0002") + b"tb"
_CONNACK = 0x20
# What a proxy says that speaks for itself; only where the listener expects a proxy.
_NOBODY = b"PROXY UNKNOWN\r\n"


class NotReady(Exception):
    """Why a part does not work, fit to be shown to anybody."""


@dataclass(frozen=True)
class Check:
    """The outcome of one check."""

    ok: bool
    detail: str


class InThread:
    """A blocking check in a thread of its own. Whoever asks while it runs gets the same answer: however many probes
    come and however long a dead server lets us wait, one thread waits.
    """

    def __init__(self, check: Callable[[], str]) -> None:
        self._check = check
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="health")
        self._running: Future[str] | None = None

    async def __call__(self) -> str:
        """The check's answer, or its exception."""
        if self._running is None or self._running.done():
            self._running = self._executor.submit(self._check)
        answer = asyncio.wrap_future(self._running)
        # Whoever asked may have given up before the answer comes; it is heard all the same, so that asyncio does not complain.
        answer.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(answer)


async def _run(part: Callable[[], Awaitable[str]]) -> Check:
    try:
        async with asyncio.timeout(TIMEOUT):
            return Check(True, await part())
    except NotReady as error:
        return Check(False, str(error))
    except TimeoutError:
        return Check(False, f"no answer within {TIMEOUT:g} s")


def timescale_version() -> str:
    """The version of TimescaleDB that keeps history; "" where native partitions do. Raises DatabaseError."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'")
        found = cursor.fetchone()
    return str(found[0]) if found else ""


def _database() -> str:
    """A query, and which store history is kept in."""
    try:
        return "TimescaleDB" if timescale_version() else "native partitions"
    except DatabaseError:
        connection.close()
        raise NotReady("the database does not answer") from None


def _redis() -> str:
    client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2)
    try:
        client.ping()
    except (redis.RedisError, OSError):
        raise NotReady("Redis does not answer") from None
    finally:
        client.close()
    return "answers"


class _LastPing:
    """The last answer of a rules worker, believed for WORKER_CACHE seconds."""

    answered_at = float("-inf")


def _rules_worker() -> str:
    if time.monotonic() - _LastPing.answered_at < WORKER_CACHE:
        return "answers"
    _redis()  # kombu would try to reach it for minutes
    try:
        inspect = app.control.inspect(pattern="rules@*", matcher="glob", limit=1, timeout=WORKER_TIMEOUT)
        answers = inspect.ping()
    except Exception:
        # kombu lets the errors of whatever client it uses through
        raise NotReady("the workers cannot be asked") from None
    if not answers:
        raise NotReady("no rules worker answers")
    _LastPing.answered_at = time.monotonic()
    return "answers"


def _disk() -> str:
    """Whether there is room for the database; where its disk is not known, there is nothing to say against it."""
    disk = watch()
    if disk.path is None or not disk.min_free:
        return "is not watched"
    shortage = disk.shortage()
    if shortage is not None:
        raise NotReady(shortage)
    if disk.trouble:
        raise NotReady(f"TB_DISK_PATH cannot be watched ({disk.trouble})")
    return "has room"


async def _mqtt() -> str:
    try:
        reader, writer = await asyncio.open_connection(settings.TB_MQTT_HOST, settings.TB_MQTT_PORT)
        try:
            writer.write((_NOBODY if settings.TB_MQTT_PROXY_PROTOCOL else b"") + _STRANGE_CONNECT)
            answer = await reader.read(1)
        finally:
            writer.close()
    except OSError:
        raise NotReady("the MQTT listener does not accept connections") from None
    if answer != bytes([_CONNACK]):
        raise NotReady("the MQTT listener does not speak MQTT")
    return "answers"


PARTS: dict[str, Callable[[], Awaitable[str]]] = {
    "database": InThread(_database),
    "disk": InThread(_disk),
    "redis": InThread(_redis),
    "rules": InThread(_rules_worker),
    "mqtt": _mqtt,
}


async def run_all() -> dict[str, Check]:
    """All checks at once, by name."""
    outcomes = await asyncio.gather(*(_run(part) for part in PARTS.values()))
    return dict(zip(PARTS, outcomes, strict=True))
