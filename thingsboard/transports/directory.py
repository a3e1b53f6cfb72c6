"""Asks the database whose tokens these are: one connection, many tokens a query."""

from collections.abc import Sequence

from devices.services.credentials import LOOKUP_SQL, DeviceIdentity, identities
from thingsboard.transports.line import Line, Unavailable

__all__ = ["Directory", "Unavailable"]


class Directory:
    """The look-up of tokens."""

    def __init__(self, application: str = "thingsboard mqtt") -> None:
        """`application` is how the server's list of connections names this one."""
        self._line = Line(application)

    async def ask(self, lookups: Sequence[bytes]) -> dict[bytes, DeviceIdentity]:
        """The devices of these 32-byte lookups; who is not known is missing. Raises Unavailable."""
        return identities(await self._line.rows(LOOKUP_SQL, [list(lookups)]))

    async def close(self) -> None:
        """Let the connection go."""
        await self._line.close()
