"""The same script over every protocol: what a device sends is stored the same way."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol

import pytest

from telemetry.models import TsKv
from telemetry.services import attributes
from tests.transports.http import conftest as http
from tests.transports.mqtt.client import ATTRIBUTES, Device, puback, publish
from tests.transports.mqtt.conftest import World, from_database, world
from tests.transports.mqtt.test_end_to_end import BAD, platform

__all__ = ["world"]


class Sender(Protocol):
    async def __call__(self, token: str, body: bytes, *, to_attributes: bool = False) -> bool:
        """Send; whether it was acknowledged."""
        ...


@asynccontextmanager
async def over_mqtt() -> AsyncIterator[Sender]:
    async with platform() as server:

        async def send(token: str, body: bytes, *, to_attributes: bool = False) -> bool:
            device = await Device.enter(server.port, token)
            device.send(publish(body, 1, topic=ATTRIBUTES) if to_attributes else publish(body, 1))
            acknowledged = await device.receive() == puback(1)
            await device.leave()
            return acknowledged

        yield send


@asynccontextmanager
async def over_http() -> AsyncIterator[Sender]:
    async with http.serving() as door:

        async def send(token: str, body: bytes, *, to_attributes: bool = False) -> bool:
            response = await door.post(f"{token}/{'attributes' if to_attributes else 'telemetry'}", body)
            return response.status_code == 200

        yield send


Protocols = pytest.mark.parametrize("protocol", [over_mqtt, over_http])
Opening = Callable[[], AbstractAsyncContextManager[Sender]]


def stored(world: World, token: str) -> dict[str, Any]:
    """Telemetry by time stamp, and attributes."""
    device = world.devices[token].id
    rows = TsKv.objects.filter(entity_id=device).order_by("ts", "key_id")
    values = [(row.ts, row.bool_v, row.long_v, row.dbl_v, row.str_v, row.json_v) for row in rows]
    return {"telemetry": values, "attributes": [(each.key, each.scope, each.value) for each in attributes(device)]}


TELEMETRY = (
    b'[{"ts":1000,"values":{"a":1,"b":"25","c":1.0,"d":true}},{"ts":2000,"values":{"a":1E2,"e":{"x":[1.50]},"f":null}}]'
)
SAME = {
    "telemetry": [
        (1000, None, 1, None, None, None),
        (1000, None, 25, None, None, None),
        (1000, None, None, 1.0, None, None),
        (1000, True, None, None, None, None),
        (2000, None, 100, None, None, None),
        (2000, None, None, None, None, '{"x":[1.50]}'),
    ],
    "attributes": [("serial", 1, "A1")],
}


@Protocols
async def test_what_is_sent_is_stored_the_same_whatever_the_protocol(world: World, protocol: Opening) -> None:
    async with protocol() as send:
        assert await send("ONE", TELEMETRY)
        assert await send("ONE", TELEMETRY)  # a repetition with its own time stamps is stored once
        assert await send("ONE", b'{"serial":"A1"}', to_attributes=True)
        found = await from_database(stored, world, "ONE")
        assert sorted(map(str, found["telemetry"])) == sorted(map(str, SAME["telemetry"]))
        assert found["attributes"] == SAME["attributes"]


@Protocols
async def test_what_is_refused_is_refused_whatever_the_protocol(world: World, protocol: Opening) -> None:
    async with protocol() as send:
        for what, body in BAD.items():
            assert not await send("ONE", body), what
        assert await from_database(stored, world, "ONE") == {"telemetry": [], "attributes": []}
