"""A session lasts no longer than the credentials that opened it.

Changes are heard over the bus, which may lose them. So every session is also compared with the database as often as a
cached token would be asked for again, and at once when the bus was away.
"""

import asyncio
import logging

from django.conf import settings

from devices.services.credentials import DeviceIdentity
from thingsboard.transports.directory import Unavailable
from thingsboard.transports.mqtt.server import MqttServer
from thingsboard.transports.revocation import listen
from thingsboard.transports.tokens import MAX_PER_QUERY

log = logging.getLogger(__name__)

SHORTEST_INTERVAL = 1.0  # seconds


async def watch(server: MqttServer) -> None:
    """Close sessions whose credentials changed, until cancelled."""
    doubt = asyncio.Event()

    def missed() -> None:
        server.broker.auth.tokens.clear()
        doubt.set()

    async with asyncio.TaskGroup() as group:
        group.create_task(listen(server.credentials_changed, missed))
        group.create_task(_keep_checking(server, doubt))


async def _keep_checking(server: MqttServer, doubt: asyncio.Event) -> None:
    interval = max(settings.TB_TOKEN_CACHE_SECONDS, SHORTEST_INTERVAL)
    while True:
        try:
            async with asyncio.timeout(interval):
                await doubt.wait()
        except TimeoutError:
            pass
        doubt.clear()
        try:
            await recheck(server)
        except Unavailable as error:
            log.warning("Sessions could not be compared with the database: %s", error)
        except Exception:
            log.exception("Comparing sessions with the database failed.")


async def recheck(server: MqttServer) -> None:
    """Compare every session with the database once. Raises Unavailable."""
    sessions = list(server.devices.items())
    for start in range(0, len(sessions), MAX_PER_QUERY):
        part = sessions[start : start + MAX_PER_QUERY]
        found = await server.broker.auth.directory.ask([each.identity.lookup for _, each in part])
        for device_id, connection in part:
            now = found.get(connection.identity.lookup)
            if server.devices.get(device_id) is connection and not _same(connection.identity, now):
                server.credentials_changed(device_id, connection.identity.lookup)


def _same(then: DeviceIdentity, now: DeviceIdentity | None) -> bool:
    """Whether the session may go on; a new name does not end it, a new password does, and a new profile (its ingest plan
    may differ).
    """
    return now is not None and _decisive(then) == _decisive(now)


def _decisive(identity: DeviceIdentity) -> tuple[object, ...]:
    return identity.device_id, identity.version, identity.tenant_id, identity.profile_id, identity.transport_type
