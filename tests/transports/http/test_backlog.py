"""Requests of a tenant whose rule chains do not keep up wait for them; those of others do not."""

import asyncio

import pytest
from django.conf import settings

from tests.transports.backlog import LIMIT, bounds, fill, work_off
from tests.transports.http.conftest import World, from_database, recording, serving
from tests.transports.http.test_daphne import web
from tests.transports.mqtt.recorder import until
from tests.transports.mqtt.test_end_to_end import latest
from thingsboard.transports.http import withholding


async def test_a_request_waits_for_its_tenants_backlog_and_is_then_stored(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    bounds(monkeypatch)
    await from_database(fill, world, "ONE")
    async with serving() as door:
        asked = asyncio.create_task(door.post("ONE/telemetry", b'{"a":1}'))
        assert (await door.post("STRANGER/telemetry", b'{"a":1}')).status_code == 200
        assert not asked.done() and await latest(world, "ONE") == {}
        assert (await door.get("ONE/attributes")).status_code == 200
        await from_database(work_off)
        assert (await asked).status_code == 200
        assert await latest(world, "ONE") == {"a": 1}


async def test_who_waited_as_long_as_a_request_may_is_told_why(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    bounds(monkeypatch)
    async with recording() as door:
        assert (await door.post("ONE/telemetry", b"first")).status_code == 200
        await from_database(fill, world, "ONE")
        monkeypatch.setattr(settings, "TB_HTTP_TIMEOUT", 0.3)

        async def refused() -> bool:
            answer = await door.post("ONE/telemetry", b"x")
            return answer.status_code == 503

        async with asyncio.timeout(5):
            while not await refused():
                pass
        stored = len(door.made[0].payloads)
        answer = await door.post("ONE/attributes", b"x")
        assert answer.status_code == 503 and answer.headers["retry-after"] == "10"
        assert answer.text == (
            "Too many messages of this tenant wait for the rule engine. Nothing was stored. Send it again."
        )
        assert (await door.post("STRANGER/telemetry", b"y")).status_code == 200
        assert len(door.made[0].payloads) == stored + 1


async def test_few_of_a_tenant_may_wait_and_they_take_nobodys_place(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    bounds(monkeypatch)
    monkeypatch.setattr(withholding, "MOST_OF_TENANT", 3)
    await from_database(fill, world, "ONE")
    async with recording() as door:
        asked = [asyncio.create_task(door.post("ONE/telemetry", b"x")) for _ in range(5)]
        await until(lambda: sum(task.done() for task in asked) == 2)
        assert (await door.post("STRANGER/telemetry", b"y")).status_code == 200
        assert door.made[0].payloads == [b"y"]
        await from_database(work_off)
        assert sorted([(await task).status_code for task in asked]) == [200] * 3 + [503] * 2
        assert door.made[0].payloads == [b"y", b"x", b"x", b"x"]


async def test_their_bodies_leave_room_for_those_of_others(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    bounds(monkeypatch)
    monkeypatch.setattr(settings, "TB_HTTP_MAX_BODIES", 3200)
    await from_database(fill, world, "ONE")
    async with recording() as door:
        asked = [asyncio.create_task(door.post("ONE/telemetry", b"x" * 40)) for _ in range(4)]
        await until(lambda: sum(task.done() for task in asked) == 2)
        assert (await door.post("ONE/telemetry", b"x" * 21)).status_code == 503  # 100 bytes are a 32nd
        await from_database(work_off)
        assert sorted([(await task).status_code for task in asked]) == [200] * 2 + [503] * 2


async def test_a_client_that_leaves_gives_its_place_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    bounds(monkeypatch)
    monkeypatch.setattr(withholding, "MOST_OF_TENANT", 1)
    monkeypatch.setattr(settings, "TB_HTTP_TIMEOUT", 5)
    await from_database(fill, world, "ONE")
    async with recording() as door:
        assert (await door.post("STRANGER/telemetry", b"y")).status_code == 200
        leaving = asyncio.create_task(door.post("ONE/telemetry", b"x"))
        await asyncio.sleep(0.05)
        leaving.cancel()
        await asyncio.gather(leaving, return_exceptions=True)
        staying = asyncio.create_task(door.post("ONE/telemetry", b"z"))
        await asyncio.sleep(0.05)
        assert not staying.done()
        await from_database(work_off)
        assert (await staying).status_code == 200
        assert door.made[0].payloads == [b"y", b"z"]


async def test_a_web_process_that_was_killed_holds_the_same_tenant_when_it_is_back(world: World) -> None:
    settled = {"TB_RULE_BACKLOG_BYTES": LIMIT, "TB_RULE_BACKLOG_CHECK_SECONDS": 0.05}
    await from_database(fill, world, "ONE")
    for _ in range(2):
        async with web(**settled) as process:
            asked = asyncio.create_task(process.post("ONE", b'{"a":1}'))
            assert (await process.post("STRANGER", b'{"a":1}')).status_code == 200
            assert not asked.done()
            process.process.kill()
            await asyncio.gather(asked, return_exceptions=True)
    assert await latest(world, "ONE") == {}
    async with web(**settled) as process:
        asked = asyncio.create_task(process.post("ONE", b'{"a":1}'))
        assert (await process.post("STRANGER", b'{"a":2}')).status_code == 200
        await from_database(work_off)
        assert (await asked).status_code == 200
        assert await latest(world, "ONE") == {"a": 1}
        assert process.said().count(f"Tenant {world.profile.tenant_id} has too much waiting") == 1
