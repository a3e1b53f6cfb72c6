"""Which devices are here and when they were heard, for the report of their activity.

It costs nothing per message: the time that ends a silent connection is read once per report.
"""

import asyncio
import logging
import uuid
from collections.abc import Iterator, Mapping
from typing import Protocol

from thingsboard.kernel.time import now_ms
from thingsboard.transports.activity import ActivityReporter
from thingsboard.transports.mqtt.front import Connection

log = logging.getLogger(__name__)


class Hub(Protocol):
    """What is needed of the server."""

    clock: float
    loop: asyncio.AbstractEventLoop

    @property
    def devices(self) -> Mapping[uuid.UUID, Connection]:
        """The connection of each device."""
        ...


class Presence:
    """Without a reporter it does nothing."""

    def __init__(self, hub: Hub, reporter: ActivityReporter | None) -> None:
        self._hub, self._reporter = hub, reporter
        self._since = 0.0

    def start(self) -> None:
        """Report from now on."""
        if self._reporter is not None:
            self._reporter.start(self.heard)

    def entered(self, device_id: uuid.UUID) -> None:
        """A session begins."""
        if self._reporter is not None:
            self._reporter.connected(device_id)

    def left(self, connection: Connection, *, replaced: bool) -> None:
        """A session ended; `replaced`: the device has a newer one, so it did not disconnect."""
        if self._reporter is not None:
            ago = int((self._hub.loop.time() - connection.heard) * 1000)
            self._reporter.disconnected(connection.session.device_id, now_ms() - ago, replaced=replaced)

    async def close(self) -> None:
        """Write the last report."""
        if self._reporter is not None and not await self._reporter.close():
            log.warning("The last activity of devices could not be stored.")

    def heard(self) -> Iterator[tuple[uuid.UUID, int]]:
        """The devices with a session that were heard since the last call, and when (ms, up to a sweep too early)."""
        since, self._since = self._since, self._hub.loop.time()
        self._hub.clock = self._since  # so that who is heard from now on is told from who was heard before
        origin = now_ms() - int(self._since * 1000)
        found = [(key, connection.heard) for key, connection in self._hub.devices.items() if connection.heard >= since]
        return ((key, origin + int(seconds * 1000)) for key, seconds in found)  # the rest of the work is the thread's
