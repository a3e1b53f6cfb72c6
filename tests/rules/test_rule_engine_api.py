"""POST /api/rule-engine/...: a message for the chains, whose answer the caller waits for."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connections

from rules.engine.replies import CALL_CHANNEL
from rules.nodes.action.rest_call_reply import RestCallReply
from rules.nodes.filter.message_type_filter import MessageTypeFilter
from tenants.auth.jwt import issue_pair
from tenants.models import User
from tests.cast import Cast
from tests.queued import queued
from tests.rules.engine.world import drain, make_chain
from tests.transports.http.test_daphne import web
from thingsboard import asgi
from thingsboard.kernel import bus
from thingsboard.kernel.models import OutboxRow

pytestmark = pytest.mark.django_db(transaction=True)

PATH = "/api/rule-engine/"
CALLS = (MessageTypeFilter, {"messageTypes": ["REST_API_REQUEST"]})


class Caller:
    """A cast, and requests of its users through the whole web application."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self.cast = Cast()
        assert (
            self.cast.device and self.cast.bobs_device and self.cast.foreign_device and self.cast.bob and self.cast.sam
        )
        OutboxRow.objects.all().delete()

    def answers(self, tenant: Any = None, **configuration: Any) -> None:
        """The tenant's chain answers what it is asked with what it is asked."""
        of = tenant or self.cast.acme
        make_chain(of.pk, [CALLS, (RestCallReply, configuration)], [(0, 1, "True")])

    async def post(self, user: User | None, path: str = "", body: Any = b'{"a":1}') -> httpx.Response:
        headers = {}
        if user is not None:
            token = await sync_to_async(lambda: issue_pair(user).token)()
            headers["X-Authorization"] = f"Bearer {token}"
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self._client.post(PATH + path, content=content, headers=headers)

    async def asked(self, user: User, path: str = "", body: Any = b'{"a":1}') -> httpx.Response:
        """The answer, when the chains have worked off what was queued."""
        call = asyncio.create_task(self.post(user, path, body))
        async with asyncio.timeout(10):
            while not (call.done() or await sync_to_async(OutboxRow.objects.exists)()):
                await asyncio.sleep(0.01)
        await asyncio.to_thread(drain)
        return await call


@pytest.fixture
async def caller(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Caller]:
    # Each request has a thread of its own, which ends with it: its connection is closed and not left to the collector.
    monkeypatch.setitem(connections.settings["default"], "CONN_MAX_AGE", 0)
    transport = httpx.ASGITransport(app=asgi.application)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://platform") as client:
        yield await sync_to_async(Caller)(client)
    assert asgi.rule_calls.waiting == 0


async def test_the_answer_is_the_body_that_the_node_gets(caller: Caller) -> None:
    await sync_to_async(caller.answers)()
    answer = await caller.asked(caller.cast.alice, body={"question": ["é", 1.5]})
    assert (answer.status_code, answer.json()) == (200, {"question": ["é", 1.5]})
    assert answer.headers["content-type"] == "application/json"
    device = f"DEVICE/{caller.cast.device.pk}"
    for path in (device, f"{device}/5000", f"{device}/HighPriority/5000"):
        assert (await caller.asked(caller.cast.alice, path)).json() == {"a": 1}
    assert (await caller.asked(caller.cast.bob, f"DEVICE/{caller.cast.bobs_device.pk}")).json() == {"a": 1}


async def test_the_message_says_who_waits_until_when_and_in_which_queue_it_is(caller: Caller) -> None:
    cast = caller.cast
    assert (await caller.post(cast.bob, f"device/{cast.bobs_device.pk}/HighPriority/20")).status_code == 408
    ((queue, message),) = await sync_to_async(queued)(cast.acme.pk)
    metadata = message.metadata or {}
    assert (queue, message.type, message.originator.id) == ("HighPriority", "REST_API_REQUEST", cast.bobs_device.pk)
    assert metadata.keys() == {"serviceId", "requestUUID", "expirationTime"} and message.data == b'{"a":1}'
    assert metadata["serviceId"] == asgi.rule_calls.service and uuid.UUID(metadata["requestUUID"])
    assert message.customer_id == cast.bistro.pk


async def test_nobody_answers_in_time(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    device = f"DEVICE/{caller.cast.device.pk}"
    for path in (f"{device}/0", f"{device}/-5", f"{device}/30"):
        answer = await caller.post(caller.cast.alice, path)
        assert (answer.status_code, answer.content) == (408, b"")
    monkeypatch.setattr(settings, "TB_RULE_CALL_SECONDS", 0.02)
    assert (await caller.post(caller.cast.alice, device)).status_code == 408
    monkeypatch.setattr(settings, "TB_RULE_CALL_MAX_SECONDS", 0.02)
    assert (await caller.post(caller.cast.alice, f"{device}/3600000")).status_code == 408
    assert (await caller.post(caller.cast.sam)).status_code == 408


async def test_what_is_anothers_does_not_exist_and_what_one_may_not_is_refused(caller: Caller) -> None:
    cast = caller.cast
    for user, path, status in (
        (cast.alice, f"DEVICE/{cast.foreign_device.pk}", 404),
        (cast.alice, f"TENANT/{cast.globex.pk}", 404),
        (cast.bob, f"DEVICE/{cast.device.pk}", 404),
        (cast.gina, f"DEVICE/{cast.device.pk}", 404),
        (cast.bob, f"CUSTOMER/{cast.bistro.pk}", 403),
        (None, "", 401),
    ):
        assert (await caller.post(user, path)).status_code == status, path
    assert await sync_to_async(queued)() == []


async def test_bad_input_is_said_to_be_so(caller: Caller) -> None:
    alice, device = caller.cast.alice, f"DEVICE/{caller.cast.device.pk}"
    for path, body, why in (
        ("", b"{nonsense", "Not valid JSON"),
        ("", b" ", "expected JSON"),
        ("", b'"\\u0000"', "NUL"),
        ("ODD/" + str(uuid.uuid4()), b"{}", "Unknown entityType 'ODD'"),
        ("DEVICE/seven", b"{}", "seven"),
        (f"{device}/soon", b"{}", "timeout: expected milliseconds"),
        (f"{device}/Nowhere/10", b"{}", "There is no queue 'Nowhere'."),
    ):
        answer = await caller.post(alice, path, body)
        assert answer.status_code == 400 and why in answer.json()["message"], (path, answer.content)
    large = await caller.post(alice, "", b'"' + b"x" * (1 << 20) + b'"')
    assert large.status_code == 413
    assert await sync_to_async(queued)() == []


async def test_only_so_many_wait(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "TB_RULE_CALLS", 2)
    monkeypatch.setattr(settings, "TB_RULE_CALLS_PER_TENANT", 1)
    alice, gina = caller.cast.alice, caller.cast.gina
    waiting = asyncio.create_task(caller.post(alice, f"DEVICE/{caller.cast.device.pk}/30000"))
    async with asyncio.timeout(10):
        while not asgi.rule_calls.waiting:
            await asyncio.sleep(0.01)
    assert (await caller.post(alice)).status_code == 429
    monkeypatch.setattr(settings, "TB_RULE_CALLS", 1)
    assert (await caller.post(gina)).status_code == 503
    monkeypatch.setattr(settings, "TB_RULE_CALLS", 2)
    assert (await caller.post(gina, f"DEVICE/{caller.cast.foreign_device.pk}/10")).status_code == 408
    waiting.cancel()
    await asyncio.wait({waiting})


async def test_an_answer_of_another_tenant_is_none(caller: Caller) -> None:
    """Metadata are what a chain makes of them."""
    call = asyncio.create_task(caller.post(caller.cast.alice, f"DEVICE/{caller.cast.device.pk}/20000"))
    async with asyncio.timeout(10):
        while not (found := await sync_to_async(queued)(caller.cast.acme.pk)):
            await asyncio.sleep(0.01)
    metadata = found[0][1].metadata or {}
    channel, request = CALL_CHANNEL + metadata["serviceId"], metadata["requestUUID"]
    theirs = {"requestId": request, "tenantId": str(caller.cast.globex.pk), "data": '"theirs"'}
    ours = {"requestId": request, "tenantId": str(caller.cast.acme.pk), "data": "no JSON"}
    for payload in ({"requestId": "x"}, theirs, ours, ours):
        await asyncio.to_thread(bus.publish, channel, payload)
    answer = await call
    assert (answer.status_code, answer.content) == (406, b"")


async def test_what_is_rolled_back_is_not_answered(caller: Caller) -> None:
    """The node answers, and fails afterwards in a queue that takes a failure back and tries again."""
    cast = caller.cast

    def broken() -> None:
        nodes = [CALLS, (RestCallReply, {}), ("org.example.Strange", {})]
        make_chain(cast.acme.pk, nodes, [(0, 1, "True"), (1, 2, "Success")])

    await sync_to_async(broken)()
    answer = await caller.asked(cast.alice, f"DEVICE/{cast.device.pk}/SequentialByOriginator/300")
    assert answer.status_code == 408


@pytest.mark.slow
async def test_it_is_the_same_behind_daphne_for_many_at_once(caller: Caller) -> None:
    cast = caller.cast
    await sync_to_async(caller.answers)()
    token = await sync_to_async(lambda: issue_pair(cast.alice).token)()
    async with web() as at:
        headers = {"X-Authorization": f"Bearer {token}"}
        path = f"{PATH}DEVICE/{cast.device.pk}/20000"
        calls = [asyncio.create_task(at.client.post(path, json={"n": n}, headers=headers)) for n in range(20)]
        async with asyncio.timeout(20):
            while not all(call.done() for call in calls):
                await asyncio.to_thread(drain)
                await asyncio.sleep(0.02)
        assert [(each.result().status_code, each.result().json()) for each in calls] == [
            (200, {"n": n}) for n in range(20)
        ]
        with pytest.raises(httpx.ReadTimeout):
            await at.client.post(f"{PATH}USER/{cast.alice.pk}/60000", json={}, headers=headers, timeout=0.2)
        assert (await at.client.post(f"{PATH}USER/{cast.alice.pk}/1", json={}, headers=headers)).status_code == 408
        assert "Traceback" not in at.said(), at.said()
