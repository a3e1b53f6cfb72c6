"""Where failures are counted: in Valkey for all processes together, in this process while Valkey is away.

Keys are made by the caller, hold no secret and always have an age. Times are seconds.
"""

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import cache
from typing import Protocol, TypeVar

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

log = logging.getLogger(__name__)

PREFIX = "tb:signin:"
TIMEOUT = 0.5  # seconds that a login waits for Valkey before it counts by itself
MAX_LOCAL_KEYS = 10_000

Result = TypeVar("Result")


class Counters(Protocol):
    """Numbers that grow and vanish by themselves."""

    def add(self, key: str, seconds: float) -> int:
        """Count one more; the key vanishes `seconds` after its first. The new number."""

    def hold(self, key: str, seconds: float) -> None:
        """Have the key for that long from now on."""

    def remaining(self, keys: Sequence[str]) -> list[float]:
        """For how long each key is still there, 0 where it is not."""

    def drop(self, keys: Sequence[str]) -> None:
        """Forget the keys."""


class LocalCounters:
    """Those of one process. Bounded: what would be forgotten first goes when there are too many."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[int, float]] = OrderedDict()  # number and when it vanishes

    def add(self, key: str, seconds: float) -> int:
        """See Counters."""
        now = self._clock()
        with self._lock:
            number, until = self._kept.get(key, (0, 0.0))
            if until <= now:
                number, until = 0, now + seconds
            self._keep(key, number + 1, until)
            return number + 1

    def hold(self, key: str, seconds: float) -> None:
        """See Counters."""
        with self._lock:
            self._keep(key, 1, self._clock() + seconds)

    def remaining(self, keys: Sequence[str]) -> list[float]:
        """See Counters."""
        now = self._clock()
        with self._lock:
            return [max(0.0, self._kept.get(key, (0, 0.0))[1] - now) for key in keys]

    def drop(self, keys: Sequence[str]) -> None:
        """See Counters."""
        with self._lock:
            for key in keys:
                self._kept.pop(key, None)

    def _keep(self, key: str, number: int, until: float) -> None:
        self._kept[key] = (number, until)
        self._kept.move_to_end(key)
        while len(self._kept) > MAX_LOCAL_KEYS:
            self._kept.popitem(last=False)


class SharedCounters:
    """Those of all processes, in Valkey. Raises redis.RedisError or OSError while it is away."""

    def __init__(self, url: str) -> None:
        self._client = redis.Redis.from_url(
            url,
            socket_timeout=TIMEOUT,
            socket_connect_timeout=TIMEOUT,
            retry=Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
        )

    def add(self, key: str, seconds: float) -> int:
        """See Counters."""
        with self._client.pipeline(transaction=True) as pipe:
            pipe.incr(PREFIX + key)
            pipe.pexpire(PREFIX + key, int(seconds * 1000), nx=True)
            return int(pipe.execute()[0])

    def hold(self, key: str, seconds: float) -> None:
        """See Counters."""
        self._client.set(PREFIX + key, 1, px=int(seconds * 1000))

    def remaining(self, keys: Sequence[str]) -> list[float]:
        """See Counters."""
        with self._client.pipeline(transaction=False) as pipe:
            for key in keys:
                pipe.pttl(PREFIX + key)
            return [max(0, milliseconds) / 1000 for milliseconds in pipe.execute()]

    def drop(self, keys: Sequence[str]) -> None:
        """See Counters."""
        self._client.delete(*(PREFIX + key for key in keys))


class BestCounters:
    """The shared ones, or this process's own while those are away: a login is never refused for want of a counter."""

    def __init__(self, shared: Counters, local: Counters) -> None:
        self._shared = shared
        self._local = local

    def add(self, key: str, seconds: float) -> int:
        """See Counters."""
        return self._try(lambda counters: counters.add(key, seconds))

    def hold(self, key: str, seconds: float) -> None:
        """See Counters."""
        self._try(lambda counters: counters.hold(key, seconds))

    def remaining(self, keys: Sequence[str]) -> list[float]:
        """See Counters."""
        return self._try(lambda counters: counters.remaining(keys))

    def drop(self, keys: Sequence[str]) -> None:
        """See Counters."""
        self._try(lambda counters: counters.drop(keys))

    def _try(self, ask: Callable[[Counters], Result]) -> Result:
        try:
            return ask(self._shared)
        except (redis.RedisError, OSError) as error:
            log.warning("Failed logins are counted by this process alone: Valkey is away: %s", error)
            return ask(self._local)


@cache
def counters() -> Counters:
    """The process's."""
    return BestCounters(SharedCounters(settings.REDIS_URL), LocalCounters())
