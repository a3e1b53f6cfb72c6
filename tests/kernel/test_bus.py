"""The bus over a real server: delivery, reconnects, and a server that is away."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
import redis
from asgiref.sync import sync_to_async
from django.conf import settings

from thingsboard.kernel import bus

DEADLINE = 5.0  # seconds


class Listener:
    """A subscriber that keeps what it heard."""

    def __init__(self, channel: str) -> None:
        self.heard: asyncio.Queue[tuple[str, dict[str, Any]]] = asyncio.Queue()
        self.reconnected = asyncio.Event()
        self.subscriber = bus.Subscriber([channel], self._hear, self.reconnected.set)

    async def _hear(self, channel: str, payload: dict[str, Any]) -> None:
        if payload.get("fail"):
            raise ValueError("as asked")
        await self.heard.put((channel, payload))

    async def next(self) -> tuple[str, dict[str, Any]]:
        return await asyncio.wait_for(self.heard.get(), DEADLINE)


@contextlib.asynccontextmanager
async def listening(channel: str) -> AsyncIterator[Listener]:
    listener = Listener(channel)
    task = asyncio.create_task(listener.subscriber.run())
    try:
        await asyncio.wait_for(listener.subscriber.ready.wait(), DEADLINE)
        yield listener
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def kill(kind: str) -> None:
    """Close all connections of one kind (normal, pubsub) at the server."""
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.client_kill_filter(_type=kind, skipme=True)


async def test_a_message_reaches_who_listens_on_its_channel() -> None:
    async with listening("test-a") as listener:
        await sync_to_async(bus.publish)("test-b", {"n": 0})
        await sync_to_async(bus.publish)("test-a", {"n": 1})
        assert await listener.next() == ("test-a", {"n": 1})


async def test_a_lost_connection_is_taken_up_again_and_said_so() -> None:
    async with listening("test-c") as listener:
        assert not listener.reconnected.is_set()
        await sync_to_async(kill)("pubsub")
        await asyncio.wait_for(listener.reconnected.wait(), DEADLINE)
        await asyncio.wait_for(listener.subscriber.ready.wait(), DEADLINE)
        await sync_to_async(bus.publish)("test-c", {"n": 2})
        assert await listener.next() == ("test-c", {"n": 2})


async def test_a_publisher_whose_connection_was_closed_loses_nothing_when_the_server_is_there() -> None:
    async with listening("test-f") as listener:
        for number in range(2):
            await sync_to_async(bus.publish)("test-f", {"n": number})
            assert await listener.next() == ("test-f", {"n": number})
            await sync_to_async(kill)("normal")


async def test_a_failing_handler_or_a_body_that_is_no_object_does_not_end_the_listening() -> None:
    async with listening("test-d") as listener:
        await sync_to_async(bus.publish)("test-d", {"fail": True})
        with redis.Redis.from_url(settings.REDIS_URL) as client:
            client.publish(bus.PREFIX + "test-d", b"[1")
        await sync_to_async(bus.publish)("test-d", {"n": 3})
        assert await listener.next() == ("test-d", {"n": 3})


def test_publishing_to_a_bus_that_is_away_is_logged_and_forgotten(
    settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    bus.client.cache_clear()
    try:
        bus.publish("test-e", {"n": 4})
    finally:
        bus.client.cache_clear()
    assert "is lost" in caplog.text
