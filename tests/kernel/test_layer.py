"""The channel layer over a real server: bounded queues, and nothing that is lost stays unsaid."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import redis
from asgiref.sync import sync_to_async
from channels.layers import channel_layers
from django.conf import settings

from thingsboard.kernel.layer import BoundedLayer, broadcast

DEADLINE = 5.0  # seconds


@asynccontextmanager
async def layer(**config: object) -> AsyncIterator[BoundedLayer]:
    """A layer with a configuration of its own, the process' one meanwhile."""
    made = BoundedLayer(**{**settings.CHANNEL_LAYERS["default"]["CONFIG"], **config})
    before = channel_layers.set("default", made)
    try:
        yield made
    finally:
        await made.flush()
        channel_layers.set("default", before)


async def test_a_message_from_a_thread_reaches_the_members_of_a_group() -> None:
    async with layer() as ours:
        one, other = await ours.new_channel(), await ours.new_channel()
        await ours.group_add("kitchen", one)
        assert await sync_to_async(broadcast)("kitchen", {"n": 1, "raw": b"\0", "none": None})
        assert await asyncio.wait_for(ours.receive(one), DEADLINE) == {"n": 1, "raw": b"\0", "none": None}
        await ours.group_send("kitchen", {"n": 2})
        assert await asyncio.wait_for(ours.receive(one), DEADLINE) == {"n": 2}
        await ours.leave(one)
        await ours.group_add("kitchen", other)
        await ours.group_send("kitchen", {"n": 3})
        assert await asyncio.wait_for(ours.receive(other), DEADLINE) == {"n": 3}
        assert one not in ours.channels


async def test_a_queue_that_is_full_is_emptied_and_its_reader_told() -> None:
    async with layer(capacity=3) as ours:
        channel, lost = await ours.new_channel(), asyncio.Event()
        ours.watch(channel, lost.set)
        for number in range(5):
            assert not lost.is_set() or number > 3
            await ours.send(channel, {"n": number})
        await asyncio.wait_for(lost.wait(), DEADLINE)
        assert (await asyncio.wait_for(ours.receive(channel), DEADLINE))["n"] == 3
        assert (await asyncio.wait_for(ours.receive(channel), DEADLINE))["n"] == 4


async def test_a_reconnect_is_told_and_the_channel_goes_on() -> None:
    async with layer() as ours:
        channel, lost = await ours.new_channel(), asyncio.Event()
        ours.watch(channel, lost.set)
        with redis.Redis.from_url(settings.REDIS_URL) as client:
            await sync_to_async(client.client_kill_filter)(_type="pubsub", skipme=True)
        await asyncio.wait_for(lost.wait(), DEADLINE)
        async with asyncio.timeout(DEADLINE):
            while not (await sync_to_async(reaches)(channel)):
                await asyncio.sleep(0.02)
        assert await asyncio.wait_for(ours.receive(channel), DEADLINE) == {"n": 1}


def reaches(channel: str) -> bool:
    ours: BoundedLayer = channel_layers["default"]
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        return bool(client.publish(channel, ours.serialize({"n": 1})))
