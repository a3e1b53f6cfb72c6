"""Clients and connections that the works of a tenant share (rules.node.outside.Outside.shared)."""

import asyncio
import logging
import time
import uuid
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

log = logging.getLogger(__name__)

R = TypeVar("R")
Key = tuple[uuid.UUID, Hashable]

MAKE_S = 60.0  # to make one
CLOSE_S = 5.0  # to close one


@dataclass(slots=True, eq=False)
class _Client:
    made: "asyncio.Task[Any]"
    close: Callable[[Any], Awaitable[None]]
    users: int = 0
    idle_since: float = field(default_factory=time.monotonic)


class SharedClients:
    """Of one event loop. At most `most` live, a quarter of them of one tenant; who wants one more waits for an idle one."""

    def __init__(self, most: int, idle_s: float) -> None:
        """Nobody used it for `idle_s` seconds: it is closed."""
        self._most, self._idle_s = most, idle_s
        self._most_of_tenant = max(1, most // 4)
        self._clients: OrderedDict[Key, _Client] = OrderedDict()
        self._alive: Counter[uuid.UUID] = Counter()  # those that are being closed included
        self._changed = asyncio.Condition()

    def __len__(self) -> int:
        return self._alive.total()

    @asynccontextmanager
    async def use(
        self,
        tenant_id: uuid.UUID,
        key: Hashable,
        make: Callable[[], Awaitable[R]],
        close: Callable[[R], Awaitable[None]],
    ) -> AsyncIterator[R]:
        """See Outside."""
        client = await self._take((tenant_id, key), make, close)
        broken = False
        try:
            made: R = await asyncio.shield(client.made)
            yield made
        except BaseException as error:
            broken = isinstance(error, OSError) or _failed(client.made)
            raise
        finally:
            await self._give_back((tenant_id, key), client, broken)

    async def _take(self, key: Key, make: Callable[[], Awaitable[R]], close: Callable[[R], Awaitable[None]]) -> _Client:
        while True:
            client = self._clients.get(key)
            if client is not None and _failed(client.made):
                del self._clients[key]
                if not client.users:
                    await self._close(key, client)
                continue
            if client is None and self._has_room(key[0]):
                client = self._clients[key] = _Client(asyncio.create_task(_made(make)), close)
                self._alive[key[0]] += 1
            if client is not None:
                client.users += 1
                self._clients.move_to_end(key)
                return client
            if not await self._drop_idle(key[0]):
                async with self._changed:
                    with suppress(TimeoutError):  # in case it changed before we listened
                        await asyncio.wait_for(self._changed.wait(), 1.0)

    def _has_room(self, tenant_id: uuid.UUID) -> bool:
        return self._alive.total() < self._most and self._alive[tenant_id] < self._most_of_tenant

    async def _drop_idle(self, tenant_id: uuid.UUID) -> bool:
        """Close the one that was used longest ago: of this tenant, where it has its share; False: all are in use."""
        own = self._alive[tenant_id] >= self._most_of_tenant
        for key, client in self._clients.items():
            if not client.users and (key[0] == tenant_id or not own):
                await self._drop(key, client)
                return True
        return False

    async def _give_back(self, key: Key, client: _Client, broken: bool) -> None:
        client.users -= 1
        client.idle_since = time.monotonic()
        if broken and self._clients.get(key) is client:
            del self._clients[key]  # nobody else gets it, and its last user closes it
        if not client.users and self._clients.get(key) is not client:
            await self._close(key, client)
        elif not client.users:
            async with self._changed:
                self._changed.notify()

    async def _drop(self, key: Key, client: _Client) -> None:
        del self._clients[key]
        await self._close(key, client)

    async def _close(self, key: Key, client: _Client) -> None:
        try:
            async with asyncio.timeout(CLOSE_S):
                if not client.made.done():
                    client.made.cancel()
                elif not _failed(client.made):
                    await client.close(client.made.result())
        except Exception as error:
            log.info("A connection could not be closed in order: %r", error)
        finally:
            self._alive[key[0]] -= 1
            if not self._alive[key[0]]:
                del self._alive[key[0]]
            async with self._changed:
                self._changed.notify_all()

    async def expire(self) -> None:
        """Close those that nobody used for a while."""
        until = time.monotonic() - self._idle_s
        for key, client in list(self._clients.items()):
            if not client.users and client.idle_since <= until and self._clients.get(key) is client:
                await self._drop(key, client)

    async def close(self) -> None:
        """Close all: nobody uses them any more."""
        for key, client in list(self._clients.items()):
            if self._clients.get(key) is client:
                await self._drop(key, client)


async def _made(make: Callable[[], Awaitable[R]]) -> R:
    async with asyncio.timeout(MAKE_S):
        return await make()


def _failed(made: "asyncio.Task[Any]") -> bool:
    return made.done() and (made.cancelled() or made.exception() is not None)
