"""The token cache: answers of the directory, believed for a while; misses are gathered and asked in one query."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from devices.services.credentials import DeviceIdentity
from thingsboard.transports.directory import Unavailable

Ask = Callable[[Sequence[bytes]], Awaitable[dict[bytes, DeviceIdentity]]]

# "Nobody" is believed only briefly, because nothing tells us when a token comes into being.
UNKNOWN_SECONDS = 1.0
MAX_PER_QUERY = 1000
# How often a look-up is repeated because its token was changed while it ran.
ATTEMPTS = 3


@dataclass(slots=True)
class _Miss:
    """A look-up on its way. It is `stale` when the token was changed meanwhile."""

    answer: asyncio.Future[DeviceIdentity | None]
    waiting: int = 0
    stale: bool = False


@dataclass(slots=True)
class _Entry:
    """An answer and until when (loop time, s) it is believed."""

    identity: DeviceIdentity | None
    until: float = field(default=0.0)


class TokenCache:
    """Least recently used, bounded, and never younger than the last invalidation."""

    def __init__(self, ask: Ask, *, seconds: float, size: int, window: float) -> None:
        """Entries live `seconds`, at most `size` of them; misses are gathered for `window` seconds."""
        self._ask, self._seconds, self._size, self._window = ask, seconds, size, window
        self._entries: OrderedDict[bytes, _Entry] = OrderedDict()
        self._misses: dict[bytes, _Miss] = {}
        self._gathered: list[tuple[bytes, _Miss]] = []
        self._asking: asyncio.Task[None] | None = None
        self._forgotten = 0  # invalidations so far
        self.queries = 0
        self.hits = 0
        self.misses = 0

    async def find(self, lookup: bytes) -> DeviceIdentity | None:
        """Whose token it is, None for nobody's. Raises Unavailable.

        The answer holds at the moment of return: no invalidation came between the query and now.
        """
        return (await self.find_all((lookup,)))[0]

    async def find_all(self, lookups: Sequence[bytes]) -> list[DeviceIdentity | None]:
        """As `find` for several: they are asked in one query, and all answers hold at the moment of return."""
        loop = asyncio.get_running_loop()
        for _ in range(ATTEMPTS):
            known: dict[bytes, _Entry] = {}
            missed: dict[bytes, _Miss] = {}
            for lookup in lookups:
                entry = self._entries.get(lookup)
                if entry is not None and entry.until > loop.time():
                    self._entries.move_to_end(lookup)
                    known[lookup] = entry
                    self.hits += 1
                else:
                    self.misses += 1
                    missed[lookup] = self._misses.get(lookup) or self._gather(lookup, loop)
            if not missed:
                return [known[lookup].identity for lookup in lookups]
            forgotten = self._forgotten
            answers = await self._answers(missed)
            # What was known may have been changed while the rest was asked for; or it is gone for want of room alone.
            same = forgotten == self._forgotten or all(self._entries.get(each) is known[each] for each in known)
            if same and not any(miss.stale for miss in missed.values()):
                return [known[lookup].identity if lookup in known else answers[lookup] for lookup in lookups]
        raise Unavailable("The token is being changed all the time.")

    async def _answers(self, missed: dict[bytes, _Miss]) -> dict[bytes, DeviceIdentity | None]:
        """Wait for look-ups on their way. Raises Unavailable."""
        for miss in missed.values():
            miss.waiting += 1
        try:
            waiting = [asyncio.shield(miss.answer) for miss in missed.values()]
            found = await asyncio.gather(*waiting, return_exceptions=True)
        finally:
            for lookup, miss in missed.items():
                miss.waiting -= 1
                if not miss.waiting and self._misses.get(lookup) is miss and miss.answer.done():
                    del self._misses[lookup]
        for each in found:
            if isinstance(each, BaseException):
                raise each
        return dict(zip(missed, found, strict=True))  # type: ignore[arg-type]

    def forget(self, lookup: bytes) -> None:
        """The token was changed or deleted."""
        self._forgotten += 1
        self._entries.pop(lookup, None)
        miss = self._misses.pop(lookup, None)
        if miss is not None:
            miss.stale = True

    def clear(self) -> None:
        """Anything may have been changed: the bus was away."""
        self._forgotten += 1
        self._entries.clear()
        for miss in self._misses.values():
            miss.stale = True
        self._misses.clear()

    def __len__(self) -> int:
        return len(self._entries)

    def _gather(self, lookup: bytes, loop: asyncio.AbstractEventLoop) -> _Miss:
        miss = self._misses[lookup] = _Miss(loop.create_future())
        self._gathered.append((lookup, miss))
        if self._asking is None:
            self._asking = loop.create_task(self._run())
        return miss

    async def _run(self) -> None:
        """Ask until nothing is gathered any more; while a query runs, the next one gathers."""
        while self._gathered:
            await asyncio.sleep(self._window)
            batch, self._gathered = self._gathered[:MAX_PER_QUERY], self._gathered[MAX_PER_QUERY:]
            self.queries += 1
            try:
                found = await self._ask([lookup for lookup, _ in batch])
            except Exception as error:
                reason = error if isinstance(error, Unavailable) else Unavailable(repr(error))
                for lookup, miss in batch:
                    self._settle(lookup, miss, reason)
            else:
                for lookup, miss in batch:
                    self._settle(lookup, miss, None, found.get(lookup))
        self._asking = None

    def _settle(
        self, lookup: bytes, miss: _Miss, error: Unavailable | None, identity: DeviceIdentity | None = None
    ) -> None:
        if not miss.waiting and self._misses.get(lookup) is miss:
            del self._misses[lookup]
        if error is not None:
            if miss.waiting:
                miss.answer.set_exception(error)
            return
        miss.answer.set_result(identity)
        if miss.stale:
            return
        loop = asyncio.get_running_loop()
        lifetime = self._seconds if identity is not None else min(self._seconds, UNKNOWN_SECONDS)
        self._entries[lookup] = _Entry(identity, loop.time() + lifetime)
        self._entries.move_to_end(lookup)
        if len(self._entries) > self._size:
            self._entries.popitem(last=False)
