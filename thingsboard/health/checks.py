"""The four things without which the platform does not work. Each check raises an exception whose text may be shown."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import redis
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection

from thingsboard.celery import app

TIMEOUT = 3.0  # seconds, for all checks together: they run side by side
WORKER_TIMEOUT = 1.5  # seconds
WORKER_CACHE = 2.0  # seconds; a ping is a broadcast to all workers

# An MQTT CONNECT of a protocol level that never was: every broker must answer it with return code 1 and close
# (MQTT 3.1.1, 3.1.2.2), without looking anybody up. A mere TCP connect would succeed while the process hangs.
_STRANGE_CONNECT = bytes.fromhex("100e00044d5154547f02000a0002") + b"tb"
_CONNACK = 0x20

# Checks block, and never more than a few run: a thread of their own keeps them off Django's shared one.
_executor = ThreadPoolExecutor(max_workers=4, thread_name_prefix="health")


class NotReady(Exception):
    """Why a part does not work, fit to be shown to anybody."""


@dataclass(frozen=True)
class Check:
    """The outcome of one check."""

    ok: bool
    detail: str


async def run_all() -> dict[str, Check]:
    """All checks at once, by name."""
    parts: dict[str, Callable[[], Awaitable[str]]] = {
        "database": lambda: _in_thread(_database),
        "redis": lambda: _in_thread(_redis),
        "rules": lambda: _in_thread(_rules_worker),
        "mqtt": _mqtt,
    }
    outcomes = await asyncio.gather(*(_run(part) for part in parts.values()))
    return dict(zip(parts, outcomes, strict=True))


async def _run(part: Callable[[], Awaitable[str]]) -> Check:
    try:
        async with asyncio.timeout(TIMEOUT):
            return Check(True, await part())
    except NotReady as error:
        return Check(False, str(error))
    except TimeoutError:
        return Check(False, f"no answer within {TIMEOUT:g} s")


async def _in_thread(check: Callable[[], str]) -> str:
    return await asyncio.get_running_loop().run_in_executor(_executor, check)


def _database() -> str:
    """A query, and which store history is kept in."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_extension WHERE extname = 'timescaledb'")
            return "TimescaleDB" if cursor.fetchone() else "native partitions"
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
    try:
        inspect = app.control.inspect(pattern="rules@*", matcher="glob", limit=1, timeout=WORKER_TIMEOUT)
        answers = inspect.ping()
    except Exception:
        # kombu lets the errors of whatever client it uses through
        raise NotReady("the workers cannot be asked: Redis does not answer") from None
    if not answers:
        raise NotReady("no rules worker answers")
    _LastPing.answered_at = time.monotonic()
    return "answers"


async def _mqtt() -> str:
    try:
        reader, writer = await asyncio.open_connection(settings.TB_MQTT_HOST, settings.TB_MQTT_PORT)
        try:
            writer.write(_STRANGE_CONNECT)
            answer = await reader.read(1)
        finally:
            writer.close()
    except OSError:
        raise NotReady("the MQTT listener does not accept connections") from None
    if answer != bytes([_CONNACK]):
        raise NotReady("the MQTT listener does not speak MQTT")
    return "answers"
