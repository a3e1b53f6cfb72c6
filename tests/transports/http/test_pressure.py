"""The device API when the store is slow, full or away."""

import asyncio

import pytest
from django.conf import settings
from django.db import connections

from tests.transports.http.conftest import World, recording, serving
from tests.transports.mqtt.recorder import until


async def test_nothing_is_acknowledged_before_the_commit(world: World) -> None:
    async with recording() as door:
        assert (await door.post("ONE/telemetry", b"1")).status_code == 200
        sink = door.made[0].sink
        sink.release.clear()
        asked = asyncio.create_task(door.post("ONE/telemetry", b"2"))
        await asyncio.sleep(0.1)
        assert not asked.done()
        sink.release.set()
        assert (await asked).status_code == 200
        assert door.made[0].payloads == [b"1", b"2"]


async def test_without_a_commit_in_time_it_is_503_and_may_still_be_stored(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "TB_HTTP_TIMEOUT", 0.3)
    async with recording() as door:
        assert (await door.post("ONE/telemetry", b"1")).status_code == 200
        door.made[0].sink.release.clear()
        response = await door.post("ONE/telemetry", b"2")
        assert response.status_code == 503 and "may still be stored" in response.text
        assert response.headers["retry-after"] == "1"
        door.made[0].sink.release.set()
        await until(lambda: door.made[0].payloads == [b"1", b"2"])


async def test_a_full_pipeline_lets_requests_wait_and_refuses_what_would_be_too_much(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "TB_INGEST_MAX_PENDING", 10)
    async with recording(max_pending=5, batch=2) as door:
        assert (await door.post("ONE/telemetry", b"first")).status_code == 200
        ingest = door.made[0]
        ingest.sink.release.clear()
        asked = [asyncio.create_task(door.post("ONE/telemetry", b"%d" % n)) for n in range(30)]
        await until(lambda: sum(task.done() for task in asked) == 14)
        assert ingest.batcher.pending == 6
        ingest.sink.release.set()
        statuses = sorted([(await task).status_code for task in asked])
        assert statuses == [200] * 16 + [503] * 14
        assert len(ingest.payloads) == 17


async def test_a_device_whose_stamps_would_run_too_far_ahead_is_told_to_slow_down(world: World) -> None:
    async with recording() as door:
        assert (await door.post("ONE/telemetry", b"first")).status_code == 200
        ingest = door.made[0]
        ingest.sink.release.clear()
        asked = [asyncio.create_task(door.post("ONE/telemetry", b"x")) for _ in range(1010)]
        await until(lambda: any(task.done() for task in asked))
        ingest.sink.release.set()
        statuses = [(await task).status_code for task in asked]
        assert statuses.count(200) >= 1000
        assert set(statuses) == {200, 429}


async def test_without_the_database_a_request_is_told_to_come_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = connections["default"].settings_dict
    here = at["HOST"]
    async with serving() as door:
        monkeypatch.setitem(at, "HOST", "/nowhere")
        response = await door.post("ONE/telemetry", b'{"a":1}')
        assert response.status_code == 503 and "Nothing was stored" in response.text
        at["HOST"] = here
        assert (await door.post("ONE/telemetry", b'{"a":1}')).status_code == 200


async def test_a_client_that_leaves_does_not_stop_its_message(world: World) -> None:
    async with recording() as door:
        assert (await door.post("ONE/telemetry", b"1")).status_code == 200
        sink = door.made[0].sink
        sink.release.clear()
        leaving = asyncio.create_task(door.post("ONE/telemetry", b"2"))
        await asyncio.sleep(0.05)
        leaving.cancel()
        asyncio.get_running_loop().call_later(0.05, sink.release.set)
        assert (await leaving).status_code == 200  # as at SIGTERM: who is cancelled waits for the commit on its way
        assert door.made[0].payloads == [b"1", b"2"]
