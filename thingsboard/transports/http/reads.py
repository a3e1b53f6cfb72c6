"""What a device may read: its own client attributes and those it shares with the platform.

Through an asyncio connection of its own, like the tokens: no thread, so a slow database holds up neither Django's
threads nor the event loop, and every question ends in bounded time. The query is the store's.
"""

import uuid
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs

import orjson

from telemetry.json import typed
from telemetry.points import Scope
from telemetry.services import ATTRIBUTES_SQL, attribute_parameters, attributes_of
from thingsboard.transports.http.pipeline import Overloaded
from thingsboard.transports.line import Line

MOST_WAITING = 200


class AttributeReader:
    """One connection; requests wait for it in line, at most MOST_WAITING of them."""

    def __init__(self) -> None:
        self._line = Line("thingsboard http reads")
        self._waiting = 0

    async def read(self, device_id: uuid.UUID, query: bytes) -> bytes:
        """The JSON of GET attributes for a query string (clientKeys=a,b&sharedKeys=c). Raises Overloaded, Unavailable.

        Without any keys all attributes of both groups; a group without a value is left out.
        """
        asked = parse_qs(query.decode("latin-1"))
        client, shared = _names(asked.get("clientKeys")), _names(asked.get("sharedKeys"))
        everything = not client and not shared
        if self._waiting >= MOST_WAITING:
            raise Overloaded
        self._waiting += 1
        try:
            answer: dict[str, Any] = {}
            for group, scope, names in (("client", Scope.CLIENT, client), ("shared", Scope.SHARED, shared)):
                if everything or names:
                    values = await self._group(device_id, scope, None if everything else names)
                    if values:
                        answer[group] = values
        finally:
            self._waiting -= 1
        return orjson.dumps(answer)

    async def close(self) -> None:
        """Let the connection go."""
        await self._line.close()

    async def _group(self, device_id: uuid.UUID, scope: Scope, names: Sequence[str] | None) -> dict[str, Any]:
        rows = await self._line.rows(ATTRIBUTES_SQL, attribute_parameters(device_id, scope, names))
        return {attribute.key: typed(attribute.value) for attribute in attributes_of(rows)}


def _names(texts: list[str] | None) -> list[str]:
    """Comma-separated names, of one parameter or several; what PostgreSQL cannot hold cannot be a key."""
    return [name for text in texts or () for name in text.split(",") if name and "\0" not in name]
