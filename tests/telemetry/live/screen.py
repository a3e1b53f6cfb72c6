"""A client of /api/ws on a real socket, and the web process behind it."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from socket import socket
from typing import Any

import pytest
import redis
from django.conf import settings as django_settings
from pytest_django import DjangoDbBlocker
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from devices.models import Device
from telemetry import services
from tenants.auth.jwt import issue_pair
from tenants.models import SystemSetting, User
from tenants.services import settings
from tests.cast import Cast
from tests.transports.http.test_daphne import Web, web
from tests.transports.mqtt.conftest import from_database
from tests.transports.mqtt.test_runmqtt import ROOT, environment, free_port
from tests.waiting import until

PATIENCE = 15.0


class Screen:
    """One socket."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def say(self, *commands: dict[str, Any], **more: Any) -> None:
        await self.socket.send(json.dumps({"cmds": list(commands), **more}))

    async def hear(self) -> dict[str, Any]:
        """The next frame."""
        found: dict[str, Any] = json.loads(await asyncio.wait_for(self.socket.recv(), PATIENCE))
        return found

    async def ask(self, **command: Any) -> dict[str, Any]:
        """Send one command, hear one frame."""
        await self.say(command)
        return await self.hear()

    async def until(self, found: Callable[[dict[str, Any]], object]) -> list[dict[str, Any]]:
        """All frames up to the first for which it is true."""
        frames = [await self.hear()]
        while not found(frames[-1]):
            frames.append(await self.hear())
        return frames

    async def silent(self, device: Device) -> None:
        """Nothing was said about what happened so far: the news of a change that is made now is the next frame."""
        marker = {"type": "TIMESERIES", "scope": "LATEST_TELEMETRY", "cmdId": 999, "keys": "marker", **of(device)}
        before = (await self.ask(**marker))["data"].get("marker", [[0, ""]])
        ts = before[-1][0] + 1
        await save(device, ts, marker=1)
        assert await self.hear() == values(999, marker=[[ts, "1"]])
        await self.say({**marker, "unsubscribe": True})

    async def closed(self) -> tuple[int | None, str]:
        """The code and the reason with which it is closed; frames before that do not count."""
        async with asyncio.timeout(PATIENCE):
            try:
                while True:
                    await self.socket.recv()
            except ConnectionClosed as closed:
                return (closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else (None, "")


QUICK = {"TB_WS_UPDATE_SECONDS": 0.001}


class Shared:
    """A web process for all tests that want no settings of their own and let it store nothing."""

    def __init__(self) -> None:
        self.port = free_port()
        self._process = subprocess.Popen(
            [sys.executable, "manage.py", "runweb"], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=environment(self.port, TB_HTTP_PORT=str(self.port), **{name: str(value) for name, value in QUICK.items()}),
        )  # fmt: skip
        until(self._answers)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()

    def _answers(self) -> bool:
        with socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


_shared: list[Shared] = []


@pytest.fixture(scope="session", autouse=True)
def shared_web(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Started by who needs it first."""
    yield
    for each in _shared:
        each.stop()


@asynccontextmanager
async def quick_web(**more: object) -> AsyncIterator[Any]:
    """A web process whose subscriptions do not pause between two frames; one of its own where `more` says how it differs."""
    if more:
        async with web(**{**QUICK, **more}) as own:
            yield own
        return
    if not _shared:
        _shared.append(Shared())
    yield _shared[0]


def own_web() -> AbstractAsyncContextManager[Web]:
    """One that nobody else uses, and that remembers nothing of an emptied database (content types, keys)."""
    return web(**QUICK)


@asynccontextmanager
async def dialled(at: Any, path: str = "/api/ws", **options: Any) -> AsyncIterator[Screen]:
    """A socket without anything said."""
    async with connect(f"ws://127.0.0.1:{at.port}{path}", compression=None, max_size=None, **options) as found:
        yield Screen(found)


@asynccontextmanager
async def screen(at: Any, user: User, **options: Any) -> AsyncIterator[Screen]:
    """A socket of a user, signed in by authCmd."""
    async with dialled(at, **options) as found:
        await found.say(authCmd={"cmdId": 0, "token": await token(user)})
        yield found


async def token(user: User) -> str:
    return await from_database(lambda: issue_pair(user).token)


async def save(device: Device, ts: int, **values: Any) -> None:
    await from_database(services.save, device.tenant_id, device.pk, [(ts, values)])


async def save_attributes(device: Device, scope: Any, ts: int, **values: Any) -> None:
    await from_database(lambda: services.save_attributes(device.tenant_id, device.pk, scope, values, ts))


def of(device: Device) -> dict[str, str]:
    """The members that name an entity in the older commands."""
    return {"entityType": "DEVICE", "entityId": str(device.pk)}


def entity(device: Device) -> dict[str, str]:
    return {"entityType": "DEVICE", "id": str(device.pk)}


_keys: list[Any] = []


@pytest.fixture
def people(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cast]:
    """Everybody of the cast, made before the test."""
    monkeypatch.setattr(settings, "_cached", None)
    if _keys:  # the one that the shared process knows
        SystemSetting.objects.create(key=settings.JWT, value=_keys[0])
    else:
        settings.jwt_signing_key()
        _keys.append(SystemSetting.objects.get(key=settings.JWT).value)
    cast = Cast()
    for name in ("bob", "device", "bobs_device", "foreign_device"):
        getattr(cast, name)
    yield cast


def values(cmd_id: int, **data: Any) -> dict[str, Any]:
    """The frame of an older subscription; each value is [[ts, text], ...]."""
    return {
        "subscriptionId": cmd_id,
        "errorCode": 0,
        "errorMsg": None,
        "data": data,
        "latestValues": {key: listed[-1][0] for key, listed in data.items()},
    }


def refusal(cmd_id: int, code: int, message: str) -> dict[str, Any]:
    return {"subscriptionId": cmd_id, "errorCode": code, "errorMsg": message, "data": None, "latestValues": {}}


def lose_the_bus() -> None:
    """Everybody who listens to the bus is cut off from it, and has to read anew what was said meanwhile."""
    with redis.Redis.from_url(django_settings.REDIS_URL) as client:
        client.client_kill_filter(_type="pubsub", skipme=True)


async def eventually(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.02)
