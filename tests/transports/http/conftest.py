"""The device API without a network: the real application in this loop, with the real ingest or one that records."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from tests.transports.mqtt.conftest import World, from_database, world
from tests.transports.mqtt.recorder import RecordingIngest
from thingsboard.transports.http.app import DeviceApi
from thingsboard.transports.http.pipeline import MakeIngest
from thingsboard.transports.uplink import Ingest

__all__ = ["Door", "World", "from_database", "recording", "serving", "world"]


@dataclass
class Door:
    """A client of the application, and its ingest once it was used."""

    client: httpx.AsyncClient
    made: list[RecordingIngest]

    async def post(self, path: str, body: bytes | str = b"", **options: Any) -> httpx.Response:
        return await self.client.post(f"/api/v1/{path}", content=body, **options)

    async def get(self, path: str) -> httpx.Response:
        return await self.client.get(f"/api/v1/{path}")


@asynccontextmanager
async def serving(make_ingest: MakeIngest = Ingest) -> AsyncIterator[Door]:
    """The application over `make_ingest`."""
    app = DeviceApi(make_ingest)
    transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://platform") as client:
        yield Door(client, [])
    assert await app.close()


@asynccontextmanager
async def recording(**limits: Any) -> AsyncIterator[Door]:
    """The application over an ingest whose store is a list."""
    made: list[RecordingIngest] = []

    def make(settle: Callable[..., None], room: Callable[[], None]) -> RecordingIngest:
        made.append(RecordingIngest(settle, room, **limits))
        return made[0]

    async with serving(make) as door:
        door.made = made
        try:
            yield door
        finally:
            for ingest in made:
                ingest.sink.release.set()
