"""`manage.py runmqtt` as a process: it starts, says so, hears of changes, and stops in good order."""

import asyncio
import os
import resource
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as platform_settings
from django.db import connections
from psycopg.conninfo import make_conninfo
from websockets.asyncio.client import connect as dial
from websockets.typing import Subprotocol

from devices.services.credentials import CREDENTIALS_CHANGED, lookup_of
from telemetry import services
from tests.transports.mqtt.certificates import make
from tests.transports.mqtt.client import Device, connect, puback, publish
from tests.transports.mqtt.conftest import World, from_database
from tests.transports.mqtt.test_tls import trusting
from thingsboard.health import checks
from thingsboard.kernel import bus
from thingsboard.transports.mqtt import packets
from thingsboard.transports.mqtt.limits import Limits
from thingsboard.transports.mqtt.process import CannotStart, affordable, wait_for_database

# Each starts programs: a second or more of nothing but imports.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("mqtt processes")]

ROOT = Path(__file__).parents[3]
PATIENCE = 20.0
RUNMQTT = ("runmqtt",)


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def environment(port: int, **more: str) -> dict[str, str]:
    at = connections["default"].settings_dict
    url = f"postgresql:///{at['NAME']}?" + "&".join(
        f"{key}={value}"
        for key, value in (
            ("user", at["USER"]),
            ("password", at["PASSWORD"]),
            ("host", at["HOST"]),
            ("port", at["PORT"]),
        )
        if value
    )
    assert make_conninfo(url)
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "thingsboard.settings",
        "DATABASE_URL": url,
        "REDIS_URL": platform_settings.REDIS_URL,
        "TB_DATA_DIR": str(platform_settings.TB_DATA_DIR),
        "TB_BIND": "127.0.0.1",
        "TB_MQTT_PORT": str(port),
        "TB_MQTT_WS_PORT": "0",
        **more,
    }


async def launch(port: int, **more: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "manage.py", *RUNMQTT, cwd=ROOT, env=environment(port, **more), stderr=asyncio.subprocess.PIPE
    )


async def ready(process: asyncio.subprocess.Process) -> None:
    assert process.stderr is not None
    async with asyncio.timeout(PATIENCE):
        async for line in process.stderr:
            if b"MQTT is ready on" in line:
                return
    raise AssertionError("It ended before it was ready.")


@asynccontextmanager
async def running(port: int, **more: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await launch(port, **more)
    try:
        await ready(process)
        yield process
    finally:
        for device in list(Device.living):
            await device.leave()
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_it_serves_hears_of_changed_credentials_and_stops_on_sigterm(world: World) -> None:
    port = free_port()
    async with running(port) as process:
        device = await Device.enter(port, "ONE")
        device.send(publish(b'{"a":1}', 1))
        assert await device.receive() == puback(1)

        two = await Device.enter(port, "TWO")
        change = {"deviceId": str(world.devices["TWO"].id), "lookup": lookup_of("TWO").hex()}
        await asyncio.to_thread(bus.publish, CREDENTIALS_CHANGED, change)
        assert await two.closed()

        second = await launch(port)
        _, said = await asyncio.wait_for(second.communicate(), PATIENCE)
        assert second.returncode == 1
        assert said.decode().count("\n") == 1
        assert f"Cannot listen on 127.0.0.1:{port}" in said.decode()

        device.send(b"".join(publish(b'{"b":%d}' % n, n) for n in range(1, 501)))
        await asyncio.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        acknowledged = 0
        while packet := await device.receive():
            acknowledged += 1
            assert packet == puback(acknowledged)
        assert await asyncio.wait_for(process.wait(), 10) == 0
        points = await from_database(services.latest, world.devices["ONE"].id)
        assert points["b"].value >= acknowledged


async def test_every_listener_that_is_set_listens_and_one_that_cannot_is_named(world: World, tmp_path: Path) -> None:
    own = make(tmp_path, "server")
    ports = {name: str(free_port()) for name in ("TB_MQTT_SSL_PORT", "TB_MQTT_WS_PORT", "TB_MQTT_WSS_PORT")}
    files = {"TB_MQTT_SSL_CERT": str(own.certificate_file), "TB_MQTT_SSL_KEY": str(own.key_file)}
    hello = connect("ONE")
    async with running(free_port(), **ports, **files):
        reader, writer = await asyncio.open_connection("127.0.0.1", int(ports["TB_MQTT_SSL_PORT"]), ssl=trusting(own))
        device = Device(reader, writer)
        device.send(hello)
        assert await device.receive() == packets.connack(0)
        for scheme, port, context in (("ws", "TB_MQTT_WS_PORT", None), ("wss", "TB_MQTT_WSS_PORT", trusting(own))):
            url = f"{scheme}://127.0.0.1:{ports[port]}/mqtt"
            async with dial(url, ssl=context, subprotocols=[Subprotocol("mqtt")], proxy=None) as socket:
                await socket.send(hello)
                assert await socket.recv() == packets.connack(0)
        second = await launch(free_port(), TB_MQTT_WS_PORT=ports["TB_MQTT_WS_PORT"])
        _, said = await asyncio.wait_for(second.communicate(), PATIENCE)
        assert second.returncode == 1
        assert f"Cannot listen on 127.0.0.1:{ports['TB_MQTT_WS_PORT']}" in said.decode()
        assert "Set TB_MQTT_WS_PORT" in said.decode()


async def test_behind_a_proxy_the_readiness_check_speaks_as_one(world: World, settings: Any) -> None:
    port = free_port()
    settings.TB_MQTT_HOST, settings.TB_MQTT_PORT = "127.0.0.1", port
    async with running(port, TB_MQTT_PROXY_PROTOCOL="1"):
        with pytest.raises(checks.NotReady):
            await checks.PARTS["mqtt"]()
        settings.TB_MQTT_PROXY_PROTOCOL = True
        assert await checks.PARTS["mqtt"]() == "answers"


async def test_an_acknowledged_value_survives_kill_9_and_the_next_process_takes_over(world: World) -> None:
    port = free_port()
    async with running(port) as process:
        device = await Device.enter(port, "ONE")
        device.send(publish(b'{"a":1}', 1))
        assert await device.receive() == puback(1)
        process.kill()
    async with running(port):
        points = await from_database(services.latest, world.devices["ONE"].id)
        assert points["a"].value == 1
        device = await Device.dial(port)
        device.send(connect("ONE") + publish(b'{"a":2}', 1))
        assert await device.receive() == packets.connack(0)
        assert await device.receive() == puback(1)


def test_connections_are_limited_to_what_the_system_can_hold() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        limits = Limits.from_settings()
        small = replace(limits, max_connections=10)
        assert affordable(small) == small
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 300), hard))
        wanted = replace(limits, max_connections=min(soft, 1000) - 100)
        assert affordable(wanted) == wanted
        if hard != resource.RLIM_INFINITY:
            assert affordable(replace(limits, max_connections=hard)).max_connections == hard - 100
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_it_waits_for_the_database_and_gives_up_with_one_clear_line(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopping = asyncio.Event()
    await wait_for_database(stopping, 5)
    at = connections["default"].settings_dict
    here = at["HOST"]
    monkeypatch.setitem(at, "HOST", "/nowhere")
    with pytest.raises(CannotStart, match="DATABASE_URL"):
        await wait_for_database(stopping, 0.1)
    waiting = asyncio.create_task(wait_for_database(stopping, 5))
    await asyncio.sleep(0.2)
    at["HOST"] = here
    await waiting
