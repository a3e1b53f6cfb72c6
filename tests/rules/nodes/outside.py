"""What an effects worker gives to the work of a node, on this machine: loopback is permitted, nothing else is."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from rules.node import Emit, Msg, OutsideNode, TryAgain
from tests.rules.nodes.context import TENANT
from tests.rules.nodes.running import made
from thingsboard.kernel.outgoing import Guard

R = TypeVar("R")


class LocalOutside:
    """`clients` are those that are shared, `opened` counts how many were made. Clients are closed at the end of the block."""

    def __init__(self, guard: Guard | None = None, **system: Mapping[str, Any]) -> None:
        self.tenant_id = TENANT
        self.key = uuid.UUID("00000000-0000-4000-8000-00000000abcd")
        self.attempt = 1
        self.guard = guard or Guard(allowed=["127.0.0.0/8", "::1"])
        self.slack_url = "https://slack.com/api"
        self.clients: dict[Hashable, tuple[Any, Callable[[Any], Awaitable[None]]]] = {}
        self.opened = 0
        self._system = system
        self._locks: dict[Hashable, asyncio.Lock] = {}

    @asynccontextmanager
    async def shared(
        self, key: Hashable, make: Callable[[], Awaitable[R]], close: Callable[[R], Awaitable[None]]
    ) -> AsyncIterator[R]:
        async with self._locks.setdefault(key, asyncio.Lock()):
            if key not in self.clients:
                self.clients[key] = (await make(), close)
                self.opened += 1
        client = self.clients[key][0]
        try:
            yield client
        except OSError:
            if self.clients.get(key, (None,))[0] is client:
                del self.clients[key]
                await close(client)
            raise

    async def system(self, name: str) -> Mapping[str, Any]:
        if name not in self._system:
            raise ValueError(f"The platform has no settings of {name} yet.")
        return self._system[name]

    async def close(self) -> None:
        for client, close in self.clients.values():
            await close(client)
        self.clients.clear()

    async def __aenter__(self) -> "LocalOutside":
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()


async def performed(node: Any, outside: LocalOutside, msg: Msg) -> Emit:
    """What becomes of a message, as the worker sees it: what the node raises is a Failure, unless it says to try again."""
    assert isinstance(node, OutsideNode)
    try:
        async with asyncio.timeout(node.LONGEST_S):
            return await node.perform(outside, msg)
    except TryAgain:
        raise
    except Exception as error:
        return Emit.failure(msg, str(error))


def outside_node(kind: type[OutsideNode], **configuration: Any) -> Any:
    """A node with the defaults of a new one, but for these."""
    return made(kind, {**kind.defaults(), **configuration})
