"""Requests of a tenant whose backlog is too large wait for it to be worked off, as long as any request may take."""

import asyncio
import uuid

from django.conf import settings

from thingsboard.transports.backlog import BacklogWatch, Tenants

# Requests that wait: of one tenant, and of all. Others are told to come later at once, so that connections are left.
MOST_OF_TENANT = 200
MOST = 1000
# The door of the web process holds their bodies meanwhile (TB_HTTP_MAX_BODIES): which parts of that they may fill.
SHARE_OF_TENANT = 1 / 32
SHARE = 1 / 8

Place = asyncio.Future[None]


class Withheld(Exception):
    """Too many requests wait already."""


class Withholding:
    """The doors of tenants: open, but for those that are over their bounds."""

    def __init__(self) -> None:
        self.watch = BacklogWatch("thingsboard http backlog", self._changed)
        self._waiting: dict[uuid.UUID, dict[Place, int]] = {}  # with the bytes of each

    async def passage(self, tenant_id: uuid.UUID, size: int) -> None:
        """Return once the tenant is not, or no longer, over; `size` is the bytes of the body. Raises Withheld."""
        while tenant_id in self.watch.over:
            await self._wait(tenant_id, size)

    async def _wait(self, tenant_id: uuid.UUID, size: int) -> None:
        own = self._waiting.setdefault(tenant_id, {})
        everybody = [each for waiting in self._waiting.values() for each in waiting.values()]
        room = settings.TB_HTTP_MAX_BODIES
        if (
            len(own) >= MOST_OF_TENANT
            or len(everybody) >= MOST
            or sum(own.values()) + size > room * SHARE_OF_TENANT
            or sum(everybody) + size > room * SHARE
        ):
            raise Withheld
        place: Place = asyncio.get_running_loop().create_future()
        own[place] = size
        try:
            await place
        finally:
            own.pop(place, None)
            if not own and self._waiting.get(tenant_id) is own:
                del self._waiting[tenant_id]

    def _changed(self, _came: Tenants, went: Tenants) -> None:
        for tenant_id in went:
            for place in self._waiting.pop(tenant_id, ()):
                if not place.done():
                    place.set_result(None)
