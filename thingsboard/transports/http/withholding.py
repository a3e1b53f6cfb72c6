"""Requests of a tenant whose backlog is too large wait for it to be worked off, as long as any request may take."""

import asyncio
import uuid

from thingsboard.transports.backlog import BacklogWatch, Tenants

# Requests that wait: of one tenant, and of all. Others are told to come later at once, so that connections are left.
MOST_OF_TENANT = 200
MOST = 1000


class Withheld(Exception):
    """Too many requests wait already."""


class Withholding:
    """The doors of tenants: open, but for those that are over their bounds. Nothing of who waits was read yet."""

    def __init__(self) -> None:
        self.watch = BacklogWatch("thingsboard http backlog", self._changed)
        self._waiting: dict[uuid.UUID, set[asyncio.Future[None]]] = {}

    async def passage(self, tenant_id: uuid.UUID) -> None:
        """Return once the tenant is not, or no longer, over. Raises Withheld."""
        while tenant_id in self.watch.over:
            await self._wait(tenant_id)

    async def _wait(self, tenant_id: uuid.UUID) -> None:
        waiting = self._waiting.setdefault(tenant_id, set())
        if len(waiting) >= MOST_OF_TENANT or sum(map(len, self._waiting.values())) >= MOST:
            raise Withheld
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting.add(place)
        try:
            await place
        finally:
            waiting.discard(place)
            if not waiting and self._waiting.get(tenant_id) is waiting:
                del self._waiting[tenant_id]

    def _changed(self, _came: Tenants, went: Tenants) -> None:
        for tenant_id in went:
            for place in self._waiting.pop(tenant_id, ()):
                if not place.done():
                    place.set_result(None)
