"""A disk that is nearly full, or full: nothing is acknowledged, everybody is told, and it goes on by itself."""

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection
from django.test import AsyncClient

from tenants.models import Authority
from tenants.services.users import create_user
from tests.cast import api
from tests.transports.http.conftest import serving as serving_http
from tests.transports.mqtt.client import Device, puback, publish
from tests.transports.mqtt.conftest import World, from_database, world
from tests.transports.mqtt.test_end_to_end import latest, platform
from thingsboard.health import checks
from thingsboard.kernel import disk
from thingsboard.kernel.disk import DiskWatch

__all__ = ["world"]

HUGE = 1 << 62


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DiskWatch]:
    """The process' own watch, over a directory; it looks every time. Its threshold is the test's to move."""
    watch = disk.watch()
    monkeypatch.setattr(watch, "path", tmp_path)
    monkeypatch.setattr(watch, "look_seconds", 0.0)
    monkeypatch.setattr(watch, "_next", float("-inf"))
    monkeypatch.setattr(watch, "min_free", 1)
    yield watch
    watch.min_free = 1
    assert watch.shortage() is None


async def test_mqtt_withholds_acknowledgements_and_gives_them_when_there_is_room(
    world: World, watched: DiskWatch, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        async with platform() as server:
            device, other = await Device.enter(server.port, "ONE"), await Device.enter(server.port, "STRANGER")
            device.send(publish(b'{"a":1}', 1))
            assert await device.receive() == puback(1)
            watched.min_free = HUGE
            device.send(publish(b'{"a":2}', 2))
            other.send(publish(b'{"a":2}', 1))
            assert await device.silent(0.6) and await other.silent(0.01)
            assert await latest(world, "ONE") == {"a": 1}
            watched.min_free = 1
            assert await device.receive() == puback(2)
            assert await other.receive() == puback(1)
            assert await latest(world, "ONE") == {"a": 2}
    said = [record.message for record in caplog.records]
    assert len(said) == 2, said
    assert "Nothing is stored or acknowledged" in said[0] and "room" in said[1]


async def test_http_says_at_once_that_nothing_was_stored(world: World, watched: DiskWatch) -> None:
    async with serving_http() as door:
        assert (await door.post("ONE/telemetry", b'{"a":1}')).status_code == 200
        watched.min_free = HUGE
        async with asyncio.timeout(2):
            answer = await door.post("ONE/telemetry", b'{"a":2}')
        assert answer.status_code == 503 and answer.headers["retry-after"] == "1"
        assert "disk" in answer.text and "Nothing was stored." in answer.text
        assert (await door.get("ONE/attributes")).status_code == 200
        watched.min_free = 1
        assert (await door.post("ONE/telemetry", b'{"a":3}')).status_code == 200
    assert await latest(world, "ONE") == {"a": 3}


def test_users_are_told_so_and_may_still_read(world: World, watched: DiskWatch) -> None:
    device = world.devices["ONE"]
    client = api(create_user("boss@example.com", Authority.TENANT_ADMIN, password="x" * 12, tenant=device.tenant))
    path = f"/api/plugins/telemetry/DEVICE/{device.pk}"
    watched.min_free = HUGE
    for what in ("timeseries/ANY", "SERVER_SCOPE"):
        answer = client.post(f"{path}/{what}", {"a": 1}, format="json")
        assert answer.status_code == 503 and "Nothing was stored." in answer.json()["message"]
    assert client.get(f"{path}/values/timeseries").json() == {}
    watched.min_free = 1
    assert client.post(f"{path}/timeseries/ANY", {"a": 1}, format="json").status_code == 200


async def test_the_platform_is_not_ready_meanwhile_and_says_why(
    watched: DiskWatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "PARTS", {"disk": checks.PARTS["disk"]})

    async def ready() -> tuple[int, str]:
        answer = await AsyncClient().get("/health/ready")
        return answer.status_code, answer.json()["checks"]["disk"]["detail"]

    assert await ready() == (200, "has room")
    watched.min_free = HUGE
    status, detail = await ready()
    assert status == 503 and "The disk of the database is nearly full" in detail
    watched.min_free, watched.path = 1, Path("/no/where")
    assert await ready() == (503, "TB_DISK_PATH cannot be watched (No such file or directory)")
    watched.path = None
    assert await ready() == (200, "is not watched")


def _fail_with(code: str | None) -> None:
    """The server refuses every latest value as it does when its disk is full, or no longer."""
    with connection.cursor() as cursor:
        if code is None:
            cursor.execute("DROP TRIGGER disk_full ON ts_latest")
            return
        cursor.execute(
            "CREATE OR REPLACE FUNCTION no_space_left() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION "
            f"'could not extend file: No space left on device' USING ERRCODE = '{code}'; END $$"
        )
        cursor.execute("CREATE TRIGGER disk_full BEFORE INSERT ON ts_latest EXECUTE FUNCTION no_space_left()")


@pytest.fixture
def clean() -> Iterator[None]:
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP FUNCTION IF EXISTS no_space_left CASCADE")


@pytest.mark.parametrize("code", ["53100", "58030"])
async def test_a_server_whose_disk_is_full_refuses_no_message_and_loses_none(
    world: World, clean: None, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, logger="thingsboard.kernel.batch"):
        async with platform() as server:
            device = await Device.enter(server.port, "ONE")
            await from_database(_fail_with, code)
            device.send(publish(b'{"a":1}', 1) + publish(b'{"a":2}', 2))
            assert await device.silent(0.6)
            await from_database(_fail_with, None)
            assert [await device.receive(), await device.receive()] == [puback(1), puback(2)]
            assert server.ingest.batcher.stats.retries >= 2 and not server.ingest.batcher.stats.bisections
    assert await latest(world, "ONE") == {"a": 2}
    assert [record.message for record in caplog.records if "No space left" not in record.message] == []
    assert len(caplog.records) == 1


def test_a_user_is_told_when_the_servers_disk_is_full(world: World, clean: None) -> None:
    device = world.devices["ONE"]
    client = api(create_user("boss@example.com", Authority.TENANT_ADMIN, password="x" * 12, tenant=device.tenant))
    path = f"/api/plugins/telemetry/DEVICE/{device.pk}/timeseries/ANY"
    _fail_with("53100")
    answer = client.post(path, {"a": 1}, format="json")
    assert answer.status_code == 503 and "Nothing was stored." in answer.json()["message"]
    _fail_with(None)
    assert client.post(path, {"a": 1}, format="json").status_code == 200
