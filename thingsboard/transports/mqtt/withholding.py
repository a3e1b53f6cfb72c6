"""Connections of a tenant whose backlog is too large are not read: TCP stops their senders, nothing more is acknowledged.

As with a full pipeline, only tenant by tenant. What was read before is committed and acknowledged; what comes later waits in
the device and in the socket's buffers, and is taken in its order when the backlog is gone.
"""

import asyncio
from collections import deque
from collections.abc import Collection

from thingsboard.transports.backlog import BacklogWatch, Tenants
from thingsboard.transports.mqtt.flow import WITHHELD
from thingsboard.transports.mqtt.front import Connection

# Connections that are let in at a time; between two such groups the loop looks at its sockets.
RELEASE_AT_ONCE = 64


class Withholding:
    """Holds and releases the connections of one server."""

    def __init__(self, connections: Collection[Connection]) -> None:
        """`connections` are all of the server, whatever their state."""
        self.watch = BacklogWatch("thingsboard mqtt backlog", self._changed)
        self._connections = connections
        self._loop = asyncio.get_running_loop()
        self._leaving: deque[Connection] = deque()  # held for a backlog that is gone

    def entered(self, connection: Connection) -> None:
        """It is a device's session now; nothing behind its CONNECT was read yet."""
        if connection.session.tenant_id in self.watch.over:
            connection.hold(WITHHELD)

    def _changed(self, came: Tenants, went: Tenants) -> None:
        sessions = [each for each in self._connections if each.client_id]
        for connection in sessions:
            if connection.session.tenant_id in came:
                connection.hold(WITHHELD)
        idle = not self._leaving
        self._leaving.extend(each for each in sessions if each.session.tenant_id in went)
        if idle:
            self._let_in()

    def _let_in(self) -> None:
        for _ in range(min(RELEASE_AT_ONCE, len(self._leaving))):
            connection = self._leaving.popleft()
            if connection.session.tenant_id not in self.watch.over:  # it may be over again
                connection.release(WITHHELD)
        if self._leaving:
            self._loop.call_soon(self._let_in)
