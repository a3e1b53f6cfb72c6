"""GET /metrics of the web process."""

from collections.abc import AsyncIterator

import httpx
import pytest
from django.conf import settings

from tests.transports.http.conftest import World
from thingsboard import asgi


@pytest.fixture
async def client(world: World) -> AsyncIterator[httpx.AsyncClient]:
    """The whole web application, with a device API of this loop."""
    transport = httpx.ASGITransport(app=asgi.application)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://platform") as client:
        yield client
    assert await asgi.devices.close()


async def test_the_numbers_are_there_for_who_has_the_token(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "TB_METRICS_TOKEN", "a-secret")
    assert (await client.post("/api/v1/ONE/telemetry", content=b'{"a":1}')).status_code == 200
    assert (await client.post("/api/v1/NOBODY/telemetry", content=b'{"a":1}')).status_code == 401
    answer = await client.get("/metrics", headers={"Authorization": "Bearer a-secret"})
    assert answer.status_code == 200
    assert 'thingsboard_http_requests_total{status="200"} 1.0' in answer.text
    assert 'thingsboard_http_requests_total{status="401"} 1.0' in answer.text
    assert "thingsboard_ingest_messages_total 1.0" in answer.text
    for live in ("losses_total", "sockets", "subscriptions", "watched_entities"):
        assert f"\nthingsboard_live_{live} 0.0\n" in answer.text
    assert "NOBODY" not in answer.text
    for wrong in ("Bearer wrong", "a-secret", ""):
        assert (await client.get("/metrics", headers={"Authorization": wrong})).status_code == 404
    assert (await client.post("/metrics", headers={"Authorization": "Bearer a-secret"})).status_code == 404


async def test_without_a_token_there_is_no_such_path(client: httpx.AsyncClient) -> None:
    assert not settings.TB_METRICS_TOKEN
    for token in ("Bearer ", "Bearer", ""):
        assert (await client.get("/metrics", headers={"Authorization": token})).status_code == 404
