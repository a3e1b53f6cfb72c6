"""What Prometheus reads of an mqtt process."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from django.conf import settings
from prometheus_client.parser import text_string_to_metric_families

from tests.transports.mqtt import client5
from tests.transports.mqtt.client import Device, connect, puback, publish
from tests.transports.mqtt.conftest import World
from tests.transports.mqtt.recorder import until
from tests.transports.mqtt.test_end_to_end import platform
from tests.transports.mqtt.test_runmqtt import free_port
from thingsboard.kernel import disk
from thingsboard.settings.env import BASE_DIR
from thingsboard.supervisor.processes import Plan, table
from thingsboard.transports.mqtt.metrics import MetricsPort
from thingsboard.transports.mqtt.server import MqttServer

Samples = dict[str, float]


@asynccontextmanager
async def measured() -> AsyncIterator[tuple[MqttServer, MetricsPort]]:
    async with platform() as server:
        metrics = MetricsPort(server)
        await metrics.start(0)
        try:
            yield server, metrics
        finally:
            await metrics.stop()


async def get(metrics: MetricsPort, path: str = "/metrics", **headers: str) -> httpx.Response:
    async with httpx.AsyncClient() as client:
        return await client.get(f"http://127.0.0.1:{metrics.port}{path}", headers=headers)


async def samples(metrics: MetricsPort) -> Samples:
    answer = await get(metrics)
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/plain; version=")
    found = {}
    for family in text_string_to_metric_families(answer.text):
        for name, labels, value, *_ in family.samples:
            found[name + "".join(f"{{{key}={text}}}" for key, text in labels.items())] = value
    return found


async def test_the_numbers_are_those_of_what_happened(world: World) -> None:
    async with measured() as (server, metrics):
        device = await Device.enter(server.port, "ONE")
        await client5.enter(server.port, "TWO")
        for number in range(1, 4):
            device.send(publish(b'{"a":%d}' % number, number))
            assert await device.receive() == puback(number)
        for _ in range(2):
            stranger = await Device.dial(server.port)
            stranger.send(connect("NOBODY"))
            assert await stranger.receive() and await stranger.closed()
            await stranger.leave()
        await until(lambda: len(server.connections) == 2)
        found = await samples(metrics)
        assert found["thingsboard_mqtt_sessions{version=3}"] == found["thingsboard_mqtt_sessions{version=5}"] == 1
        assert found["thingsboard_mqtt_connections"] == 2
        assert found["thingsboard_mqtt_connections_limit"] == server.limits.max_connections
        assert found["thingsboard_mqtt_connects_total{version=3}"] == 1
        assert found["thingsboard_mqtt_refusals_total{reason=wrong_token}"] == 2
        assert found["thingsboard_ingest_messages_total"] == 3
        assert found["thingsboard_ingest_payload_bytes_total"] == 3 * len(b'{"a":1}')
        assert 1 <= found["thingsboard_ingest_batches_total"] <= 3
        batches = found["thingsboard_ingest_commit_seconds_count"]
        assert batches == found["thingsboard_ingest_commit_seconds_bucket{le=+Inf}"]
        assert batches == found["thingsboard_ingest_batches_total"]
        assert 0 < found["thingsboard_ingest_commit_seconds_sum"] < 10
        assert found["thingsboard_ingest_pending_messages"] == found["thingsboard_mqtt_unacknowledged_messages"] == 0
        assert found["thingsboard_token_cache_misses_total"] >= 3
        assert found["thingsboard_disk_short"] == 0
        assert found["process_resident_memory_bytes"] > 1_000_000


async def test_a_token_that_is_remembered_is_a_hit(world: World) -> None:
    async with measured() as (server, metrics):
        for _ in range(3):
            await Device.enter(server.port, "ONE")
        found = await samples(metrics)
        misses = found["thingsboard_token_cache_misses_total"]  # a CONNECT may ask for several
        assert misses >= 1 and found["thingsboard_token_cache_hits_total"] == 2 * misses


async def test_nothing_but_metrics_is_answered_and_who_says_nothing_is_cut(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("thingsboard.transports.mqtt.metrics.REQUEST_SECONDS", 0.1)
    async with measured() as (_, metrics):
        assert (await get(metrics, "/")).status_code == 404
        for nonsense in (b"", b"GET /metrics HTTP/1.1\r\n", b"x" * 100_000):
            reader, writer = await asyncio.open_connection("127.0.0.1", metrics.port)
            writer.write(nonsense)
            async with asyncio.timeout(5):
                try:
                    assert await reader.read() == b""
                except ConnectionError:
                    pass
            writer.close()
        assert (await get(metrics)).status_code == 200


async def test_with_a_token_only_who_has_it_may_read(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "TB_METRICS_TOKEN", "a-secret")
    async with measured() as (_, metrics):
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "a-secret"}):
            assert (await get(metrics, **headers)).status_code == 401
        assert (await get(metrics, authorization="Bearer a-secret")).status_code == 200


async def test_without_a_token_only_the_machine_itself_may_read(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "TB_BIND", "0.0.0.0")
    async with measured() as (_, metrics):
        assert metrics._listener is not None
        assert {each.getsockname()[0] for each in metrics._listener.sockets} == {"127.0.0.1"}


async def test_the_page_names_exactly_what_is_served(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk.watch(), "path", tmp_path)
    monkeypatch.setattr(disk.watch(), "_next", float("-inf"))
    async with measured() as (server, metrics):
        await Device.enter(server.port, "ONE")
        text = (await get(metrics)).text
    served = set(re.findall(r"^# TYPE (\S+) ", text, re.MULTILINE))
    page = (BASE_DIR / "docs" / "reference" / "metrics.md").read_text()
    named = set(re.findall(r"^\| `([a-z_]+)` \|", page, re.MULTILINE))
    of_the_web = {
        "thingsboard_http_requests_total",
        "thingsboard_live_losses_total",
        "thingsboard_live_sockets",
        "thingsboard_live_subscriptions",
        "thingsboard_live_watched_entities",
    }
    assert named - of_the_web == served


def test_each_process_of_several_has_a_port_of_its_own() -> None:
    processes = {each.name: each.command for each in table(Plan(data_dir=Path("/data"), mqtt_processes=3))}
    assert processes["mqtt1"] == ("python", "manage.py", "runmqtt")
    assert processes["mqtt3"] == ("python", "manage.py", "runmqtt", "--number", "2")


async def test_runmqtt_serves_them_on_the_port_of_its_number(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.transports.mqtt import test_runmqtt

    port, mqtt = free_port(), free_port()
    plain = test_runmqtt.environment
    monkeypatch.setattr(
        test_runmqtt, "environment", lambda number: {**plain(number), "TB_MQTT_METRICS_PORT": str(port - 1)}
    )
    monkeypatch.setattr(test_runmqtt, "RUNMQTT", ("runmqtt", "--number", "1"))
    async with test_runmqtt.running(mqtt), httpx.AsyncClient() as client:
        answer = await client.get(f"http://127.0.0.1:{port}/metrics")
        assert answer.status_code == 200 and "thingsboard_mqtt_sessions" in answer.text
