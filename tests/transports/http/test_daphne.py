"""The web process as `up` starts it: Daphne, our application in front of Django, a real client."""

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import httpx
import psycopg

from telemetry import services
from telemetry.models import TsKv
from telemetry.store.connect import parameters
from tests.transports.http.conftest import World, from_database
from tests.transports.mqtt.test_runmqtt import ROOT, environment, free_port
from thingsboard.supervisor.processes import Plan, runnable, table

PATIENCE = 30.0


@dataclass
class Web:
    process: asyncio.subprocess.Process
    port: int
    client: httpx.AsyncClient
    log: IO[bytes]

    async def post(self, token: str, body: bytes) -> httpx.Response:
        return await self.client.post(f"/api/v1/{token}/telemetry", content=body)

    async def ended(self) -> int:
        return await asyncio.wait_for(self.process.wait(), PATIENCE)

    def said(self) -> str:
        self.log.seek(0)
        return self.log.read().decode()


@asynccontextmanager
async def web(**more: object) -> AsyncIterator[Web]:
    port = free_port()
    command = next(process for process in table(Plan(data_dir=Path("/"))) if process.name == "web").command
    with tempfile.TemporaryFile() as log:
        argv = runnable(command, sys.executable)
        variables = environment(port) | {"TB_HTTP_PORT": str(port)} | {name: str(value) for name, value in more.items()}
        process = await asyncio.create_subprocess_exec(*argv, cwd=ROOT, env=variables, stdout=log, stderr=log)
        try:
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE) as client:
                async with asyncio.timeout(PATIENCE):
                    while not await alive(client):
                        assert process.returncode is None
                        await asyncio.sleep(0.05)
                yield Web(process, port, client, log)
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


async def alive(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/health/live")).status_code == 200
    except httpx.TransportError:
        return False


async def test_devices_and_django_share_the_door_and_no_token_is_logged(world: World) -> None:
    async with web() as at:
        responses = await asyncio.gather(*(at.post("ONE", b'{"n":%d}' % n) for n in range(100)))
        assert {(each.status_code, each.content) for each in responses} == {(200, b"")}
        assert await from_database(TsKv.objects.filter(entity_id=world.devices["ONE"].id).count) == 100
        assert (await at.client.get("/api/v1/ONE/attributes")).json() == {}
        assert (await at.post("ONE", b"x" * 100_000)).status_code == 500
        assert (await at.post("ONE", b" " * (1 << 20) + b" ")).status_code == 413
        assert (await at.client.get("/api/v1/ONE/telemetry")).status_code == 405
        assert (await at.post("SECRETTOKEN", b"{}")).status_code == 401
        for path in (
            "/api/v1/SECRETTOKEN",
            "/api/v1/SECRETTOKEN/rpc",
            "/api/v1//SECRETTOKEN",
        ):
            assert (await at.client.get(path)).status_code == 404
        django = await at.client.get("/api/v1/devices/telemetry")
        assert django.status_code == 404 and django.headers["content-type"] == "application/json"
        assert (await at.client.get("/health/live")).status_code == 200
        at.process.send_signal(signal.SIGTERM)
        assert await at.ended() in (0, -signal.SIGTERM)
        said = at.said()
        assert "SECRETTOKEN" not in said and "/ONE/" not in said
        assert "Traceback" not in said and "pending" not in said, said


async def test_what_is_on_its_way_at_sigterm_is_committed_and_acknowledged(world: World) -> None:
    async with web() as at:
        assert (await at.post("ONE", b'{"a":1}')).status_code == 200
        with psycopg.connect(**parameters()) as blocker:
            blocker.execute("LOCK TABLE ts_latest IN EXCLUSIVE MODE")
            asked = asyncio.create_task(at.post("ONE", b'{"a":2}'))
            await asyncio.to_thread(wait_for_lock)
            at.process.send_signal(signal.SIGTERM)
            await asyncio.sleep(0.3)
            assert not asked.done()
            blocker.rollback()
            assert (await asked).status_code == 200
        await at.ended()
        assert (await from_database(services.latest, world.devices["ONE"].id))["a"].value == 2


def wait_for_lock() -> None:
    """Until the process' commit waits."""
    with psycopg.connect(**parameters(), autocommit=True) as connection:
        for _ in range(1000):
            if connection.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchone():
                return
            connection.execute("SELECT pg_sleep(0.01)")
    raise AssertionError("Nobody waits.")


async def test_an_acknowledged_value_survives_kill_9(world: World) -> None:
    acknowledged: list[int] = []

    async def post(at: Web, worker: int) -> None:
        try:
            for n in range(worker, 100_000, 8):
                if (await at.post("ONE", b'{"ts":%d,"values":{"n":%d}}' % (n + 1, n))).status_code == 200:
                    acknowledged.append(n)
        except httpx.TransportError:
            pass

    async with web() as at:
        posting = [asyncio.create_task(post(at, worker)) for worker in range(8)]
        async with asyncio.timeout(PATIENCE):
            while len(acknowledged) < 300:
                await asyncio.sleep(0.01)
        os.kill(at.process.pid, signal.SIGKILL)
        await asyncio.gather(*posting)
    points = TsKv.objects.filter(entity_id=world.devices["ONE"].id)
    stored = await from_database(lambda: set(points.values_list("long_v", flat=True)))
    assert set(acknowledged) <= stored
