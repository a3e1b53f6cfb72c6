"""The bus between processes (Redis pub/sub): only what may be lost travels here.

Kicks, cache hints, takeovers. Whoever listens must survive a lost message: caches expire by age, and a reconnect calls
`on_reconnect`, so that they empty themselves. Bodies are JSON objects; channels carry the prefix `tb:bus:`.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import cache
from typing import Any

import orjson
import redis
import redis.asyncio
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

log = logging.getLogger(__name__)

PREFIX = "tb:bus:"
PUBLISH_TIMEOUT = 0.5  # seconds; a writer must not wait longer for what may be lost
PING_SECONDS = 5.0  # a connection that is silent for this long is asked whether it lives
FIRST_PAUSE = 0.05  # seconds before the first reconnect, doubled up to LONGEST_PAUSE
LONGEST_PAUSE = 2.0

Handler = Callable[[str, dict[str, Any]], Awaitable[None] | None]


@cache
def client() -> redis.Redis:
    """The process's connection pool for short commands, publishing above all.

    A connection that a restart has closed is replaced at once.
    """
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=PUBLISH_TIMEOUT,
        socket_connect_timeout=PUBLISH_TIMEOUT,
        retry=Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
    )


def publish(channel: str, payload: dict[str, Any]) -> None:
    """Tell everybody who listens on `channel` now. Never raises for a bus that is away: that is logged and forgotten.

    Blocks for at most about a second, so never call it on an event loop.
    """
    send(PREFIX + channel, orjson.dumps(payload))


def publish_many(messages: Sequence[tuple[str, dict[str, Any]]]) -> None:
    """The same for many (channel, payload) at once: a bus that is away costs the time of one."""
    try:
        with client().pipeline(transaction=False) as pipeline:
            for channel, payload in messages:
                pipeline.publish(PREFIX + channel, orjson.dumps(payload))
            pipeline.execute()
    except (redis.RedisError, OSError) as error:
        log.warning("%d bus messages are lost: %s", len(messages), error)


def send(channel: str, body: bytes) -> bool:
    """Publish bytes on a channel by its full name; False when they are lost, which is logged. Blocks as `publish`."""
    try:
        client().publish(channel, body)
    except (redis.RedisError, OSError) as error:
        log.warning("Bus message on %s is lost: %s", channel, error)
        return False
    return True


class Subscriber:
    """Listens on channels for as long as `run()` runs, reconnecting with back-off.

    `handler(channel, payload)` gets each message in order; its exceptions are logged. `on_reconnect()` is called after
    every connection but the first, before any further message: whatever was published meanwhile is lost.
    """

    def __init__(
        self,
        channels: Sequence[str],
        handler: Handler,
        on_reconnect: Callable[[], Awaitable[None] | None] | None = None,
        *,
        url: str | None = None,
    ) -> None:
        self.ready = asyncio.Event()  # set while subscribed
        self._names = [PREFIX + channel for channel in channels]
        self._handler = handler
        self._on_reconnect = on_reconnect
        self._url = url or settings.REDIS_URL
        self._connected_before = False

    async def run(self) -> None:
        """Listen until cancelled."""
        pause = FIRST_PAUSE
        while True:
            try:
                await self._listen()
            except (redis.RedisError, OSError, TimeoutError) as error:
                log.warning("The bus is away, next try in %.2f s: %s", pause, error)
            if self.ready.is_set():
                self.ready.clear()
                pause = FIRST_PAUSE
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _listen(self) -> None:
        """One connection's life. Raises when it is lost."""
        client = redis.asyncio.Redis.from_url(
            self._url, socket_connect_timeout=PING_SECONDS, socket_timeout=PING_SECONDS, retry=None
        )
        async with client, client.pubsub() as pubsub:
            await pubsub.subscribe(*self._names)
            await self._wait_for_confirmations(pubsub)
            if self._connected_before and self._on_reconnect is not None:
                await self._call(self._on_reconnect)
            self._connected_before = True
            self.ready.set()
            await self._deliver(pubsub)

    async def _wait_for_confirmations(self, pubsub: "redis.asyncio.client.PubSub") -> None:
        """Return once every channel is subscribed: what is published from now on arrives."""
        missing = set(self._names)
        while missing:
            message = await pubsub.get_message(timeout=PING_SECONDS)
            if message is None:
                raise TimeoutError("no answer to SUBSCRIBE")
            if message["type"] == "subscribe":
                missing.discard(message["channel"].decode())

    async def _deliver(self, pubsub: "redis.asyncio.client.PubSub") -> None:
        """Hand messages over; after a silence ask for a sign of life, after two give up."""
        asked = False
        while True:
            message = await pubsub.get_message(timeout=PING_SECONDS)
            if message is None:
                if asked:
                    raise TimeoutError(f"silent for {2 * PING_SECONDS:.0f} s")
                await pubsub.ping()
                asked = True
                continue
            asked = False
            if message["type"] == "message":
                await self._handle(message["channel"].decode().removeprefix(PREFIX), message["data"])

    async def _handle(self, channel: str, body: bytes) -> None:
        try:
            payload = orjson.loads(body)
        except orjson.JSONDecodeError:
            payload = None
        if not isinstance(payload, dict):
            log.error("Bus message on %s is not a JSON object and is ignored", channel)
            return
        await self._call(self._handler, channel, payload)

    async def _call(self, function: Callable[..., Awaitable[None] | None], *arguments: Any) -> None:
        """Call what the owner gave us; its errors must not end the listening."""
        try:
            result = function(*arguments)
            if result is not None:
                await result
        except Exception:
            log.exception("A bus listener failed")
