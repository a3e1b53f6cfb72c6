"""ThingsBoard's own Python client for devices, unmodified (shared/compat: it speaks MQTT 5 and nothing else)."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from telemetry import services
from telemetry.models import TsKv
from telemetry.points import Scope
from tests.clients.environments import python_with
from tests.transports.mqtt.client5 import enter
from tests.transports.mqtt.conftest import World, from_database, world
from tests.transports.mqtt.test_end_to_end import latest, platform

__all__ = ["world"]

REQUIREMENTS = (
    "tb-mqtt-client==1.13.14",
    "tb-paho-mqtt-client==2.1.2",
    "orjson==3.13.0",
    "requests==2.34.2",
    "certifi==2026.10.18",
    "charset-normalizer==3.5.2",
    "idna==3.20",
    "urllib3==2.8.0",
)
DRIVER = Path(__file__).parent / "drivers" / "tb_device.py"
PATIENCE = 40.0

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.fixture(scope="session")
def python() -> Path:
    return python_with(*REQUIREMENTS)


class Driver:
    """One run of the client."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def here(self) -> None:
        """Return once it says that it is connected; the client itself may have pip say something before."""
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            while line := await self.process.stdout.readline():
                if line == b"here\n":
                    return
        pytest.fail("The client ended before it was connected.")

    async def told(self) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE):
            said, errors = await self.process.communicate()
        assert self.process.returncode == 0, errors.decode()
        told: dict[str, Any] = json.loads(said.splitlines()[-1])
        return told


@asynccontextmanager
async def driver(python: Path, port: int, token: str, behaviour: str) -> AsyncIterator[Driver]:
    """A run that is over when the block is."""
    pipe = asyncio.subprocess.PIPE
    arguments = ("-I", str(DRIVER), str(port), token, behaviour)
    process = await asyncio.create_subprocess_exec(str(python), *arguments, stdout=pipe, stderr=pipe)
    try:
        yield Driver(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def run(python: Path, port: int, token: str, behaviour: str) -> dict[str, Any]:
    """What a run told at its end."""
    async with driver(python, port, token, behaviour) as client:
        return await client.told()


async def test_it_connects_is_told_its_limits_and_has_its_subscriptions(world: World, python: Path) -> None:
    async with platform() as server:
        told = await run(python, server.port, "ONE", "enter")
        assert told["codes"] == [0] and told["connected"], told
        assert told["limits"], told["log"]
        assert told["granted"] == [1, 1, 1, 1]
        assert any("Service configuration was successfully retrieved" in line for line in told["log"]), told["log"]
        assert not server.counters.by_reason


async def test_it_sends_telemetry_in_every_form_and_attributes(world: World, python: Path) -> None:
    async with platform() as server:
        told = await run(python, server.port, "ONE", "send")
        assert told["results"] == [0, 0, 0, 0], told
        assert await latest(world, "ONE") == {"single": 1, "first": 1.5, "second": "x", "old": True}
        device_id = world.devices["ONE"].id
        assert await from_database(lambda: TsKv.objects.filter(entity_id=device_id, ts=1700000000000).count()) == 1
        attributes = await from_database(services.attributes, device_id, Scope.CLIENT)
        assert "A1" in repr(attributes) and '{"a":[1]}' in repr(attributes)


async def test_it_is_told_that_its_token_is_wrong(world: World, python: Path) -> None:
    async with platform() as server:
        told = await run(python, server.port, "NOBODY", "refused")
        assert told["codes"][0] == 134 and not told["connected"], told
        assert any("Bad user name or password" in line for line in told["log"]), told["log"]


async def test_it_is_told_that_its_session_was_taken_over(world: World, python: Path) -> None:
    async with platform() as server:
        async with driver(python, server.port, "ONE", "stay") as older:
            await older.here()
            await enter(server.port, "ONE")
            told = await older.told()
        assert told["reasons"][0] == 142, json.dumps(told)  # 0x8E: session taken over
