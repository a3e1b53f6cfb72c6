"""What is wrong with a stock amqtt broker (the design's table of 24 weaknesses), tried on ours: who is who, and who hears whom.

Rows 2-8, 10, 11, 13, 19, 22 and 24; the others are in test_weaknesses_of_packets.py. Rows 20 and 21 are about WebSocket.
"""

import asyncio
from typing import Any

import pytest

from tests.transports.mqtt.client import ATTRIBUTES, TELEMETRY, Device, connect, puback, publish, subscribe
from tests.transports.mqtt.conftest import Front, World, serving
from tests.transports.mqtt.recorder import until
from thingsboard.transports.mqtt import packets
from thingsboard.transports.mqtt.plugin import DeviceAuthPlugin, DeviceTopicPlugin

GRANTED = b"\x90\x03\x00\x01\x01"
RETAINED = 0x31


async def hears(front: Front, world: World, token: str, device: Device) -> bool:
    """Whether a delivery reaches this connection."""
    assert await front.server.deliver(world.devices[token].id, ATTRIBUTES, b"{}", 0)
    return await device.receive() == publish(b"{}", topic=ATTRIBUTES)


async def subscribed(front: Front, token: str, **more: Any) -> Device:
    device = await Device.enter(front.port, token, **more)
    device.send(subscribe(ATTRIBUTES))
    assert await device.receive() == GRANTED
    return device


async def refused(front: Front, first: bytes) -> None:
    """Send a CONNECT that is turned down, and see the connection closed."""
    intruder = await Device.dial(front.port)
    intruder.send(first)
    assert await intruder.receive() == packets.connack(packets.NOT_AUTHORIZED)
    assert await intruder.closed()
    await intruder.leave()


async def test_a_wrong_token_with_a_victims_client_id_and_a_clean_session_takes_nothing_away(world: World) -> None:
    """Row 2: pre-auth session kill."""
    async with serving() as front:
        victim = await subscribed(front, "ONE", client_id="victim")
        await refused(front, connect("NOBODY", "victim", flags=0x02))
        assert await hears(front, world, "ONE", victim)


async def test_a_wrong_token_with_a_victims_client_id_and_a_lasting_session_kicks_nobody(world: World) -> None:
    """Row 3: pre-auth kick and identity overwrite."""
    async with serving() as front:
        victim = await subscribed(front, "ONE", client_id="victim", flags=0)
        there = front.server.devices[world.devices["ONE"].id]
        session = front.server.broker.sessions[there.client_id][0]
        before = (session.username, session.client_id)
        await refused(front, connect("NOBODY", "victim", flags=0))
        assert (session.username, session.client_id) == before
        victim.send(publish(b"still me", 1))
        assert await victim.receive() == puback(1)
        assert front.ingest.sink.stored[0].session.device_id == world.devices["ONE"].id
        assert await hears(front, world, "ONE", victim)


async def test_a_valid_device_cannot_take_over_the_session_of_another_by_its_client_id(world: World) -> None:
    """Row 4: the client id is global."""
    async with serving() as front:
        victim = await subscribed(front, "ONE", client_id="same", flags=0)
        for token in ("TWO", "STRANGER"):
            await Device.enter(front.port, token, client_id="same", flags=0)  # type: ignore[arg-type]
        assert await hears(front, world, "ONE", victim)
        victim.send(publish(b"x", 1))
        assert await victim.receive() == puback(1)


async def test_a_refused_connect_leaves_no_session_behind(world: World) -> None:
    """Row 5: every rejected CONNECT leaks a session for ever."""
    async with serving() as front:
        for number in range(50):
            await refused(front, connect("NOBODY", f"client {number}", flags=0x02 * (number % 2)))
        await until(lambda: not front.server.connections and not front.server._tasks)
        assert not front.server.broker.sessions
        assert not front.server.devices


async def test_a_publish_reaches_no_other_device_that_subscribed_to_the_topic(world: World) -> None:
    """Row 6: cross-device leak."""
    async with serving() as front:
        others = [await subscribed(front, token) for token in ("TWO", "STRANGER")]
        device = await subscribed(front, "ONE")
        for number, topic in enumerate((ATTRIBUTES, TELEMETRY, "v1/devices/me/rpc/response/1"), 1):
            device.send(publish(b'{"secret":1}', number, topic=topic))
            assert await device.receive() == puback(number)
        for each in (*others, device):
            assert await each.silent()


async def test_nothing_is_retained_for_anybody(world: World) -> None:
    """Row 7: a new client without any subscription receives retained messages."""
    async with serving() as front:
        device = await Device.enter(front.port, "ONE")
        device.send(bytes((RETAINED | 2,)) + publish(b'{"secret":1}', 1, topic=ATTRIBUTES)[1:])
        assert await device.receive() == puback(1)
        fresh = await Device.enter(front.port, "TWO", flags=0)
        assert await fresh.silent()
        fresh.send(subscribe(ATTRIBUTES))
        assert await fresh.receive() == GRANTED
        assert await fresh.silent()
        assert not front.server.broker.retained_messages


async def test_a_will_reaches_nobody_and_is_not_stored(world: World) -> None:
    """Row 8: a will skips the ACL and the hook."""
    async with serving() as front:
        other = await subscribed(front, "TWO")
        for topic in (ATTRIBUTES, TELEMETRY):
            device = await Device.dial(front.port)
            device.send(connect("ONE", will=(topic, b'{"will":1}')))
            assert await device.receive() == packets.connack(packets.ACCEPTED)
            device.writer.transport.abort()
            await until(lambda: len(front.server.connections) == 1)
        assert await other.silent()
        assert not front.ingest.payloads


@pytest.mark.parametrize("flags", [0x00, 0x02])
async def test_a_device_that_reconnects_over_a_dead_connection_hears_and_the_old_one_is_gone(
    world: World, flags: int
) -> None:
    """Rows 10 and 11: after a take-over the new connection is deaf (clean 0), or the old one a zombie (clean 1)."""
    async with serving() as front:
        older = await subscribed(front, "ONE", client_id="same", flags=flags)
        newer = await subscribed(front, "ONE", client_id="same", flags=flags)
        older.send(publish(b"from the dead", 1))
        assert await older.closed()
        assert await hears(front, world, "ONE", newer)
        newer.send(publish(b"alive", 1))
        assert await newer.receive() == puback(1)
        assert front.ingest.payloads == [b"alive"]


async def test_a_place_is_free_again_however_its_connection_ended(world: World) -> None:
    """Row 13: slots of max_connections leak, and surplus connections hang without an answer."""
    async with serving(max_connections=4) as front:
        for first in (connect("ONE", level=3)[:-1], connect("ONE", level=6), b"\x10", connect("ONE"), b""):
            for reset in (True, False):
                for _ in range(4):
                    device = await Device.dial(front.port)
                    device.send(first)
                    await asyncio.sleep(0)
                    device.writer.transport.abort() if reset else await device.leave()
                await until(lambda: not front.server.connections)
        for token in world.devices:
            await Device.enter(front.port, token)
        await Device.dial(front.port)
        await until(lambda: len(front.server.connections) == 4)
        surplus = await Device.dial(front.port)
        assert await surplus.closed()


async def test_nothing_is_kept_for_a_device_that_is_away(world: World) -> None:
    """Row 19: the offline queue of a persistent session has no limit, and sessions never expire."""
    async with serving() as front:
        device = await subscribed(front, "ONE", flags=0)
        await device.leave()
        await until(lambda: not front.server.broker.sessions)
        assert not any([await front.server.deliver(world.devices["ONE"].id, ATTRIBUTES, b"{}", 1) for _ in range(50)])
        back = await Device.dial(front.port)
        back.send(connect("ONE", flags=0))
        assert await back.receive() == b"\x20\x02\x00\x00"  # no session present
        assert await back.silent()


async def test_an_error_while_a_device_is_recognised_is_answered(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Row 22: an exception in authenticate drops the connection without a CONNACK."""

    async def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("a defect")

    async with serving() as front:
        with monkeypatch.context() as broken:
            broken.setattr(DeviceAuthPlugin, "identify", fail)
            device = await Device.dial(front.port)
            device.send(connect("ONE"))
            assert await device.receive() == packets.connack(packets.UNAVAILABLE)
            assert await device.closed()
        assert "a defect" in caplog.text  # a defect of ours is said, once
        assert front.counted("internal") == 1
        await Device.enter(front.port, "ONE")


async def test_an_error_while_a_filter_is_judged_leaks_no_session(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Row 22: an exception in topic_filtering drops the connection and leaks its session."""

    async def fail(*_: Any, **__: Any) -> bool:
        raise RuntimeError("a defect")

    async with serving() as front:
        device, other = await Device.enter(front.port, "ONE"), await Device.enter(front.port, "TWO")
        with monkeypatch.context() as broken:
            broken.setattr(DeviceTopicPlugin, "topic_filtering", fail)
            device.send(subscribe(ATTRIBUTES))
            assert await device.receive() == b"\x90\x03\x00\x01\x80"
        await device.leave()
        other.send(publish(b"x", 1))
        assert await other.receive() == puback(1)
        await until(lambda: len(front.server.broker.sessions) == len(front.server.connections) == 1)


async def test_a_connect_looks_at_nobody_elses_filters(world: World) -> None:
    """Row 24: every CONNECT loops over all filters of all sessions."""
    async with serving() as front:
        for token in world.devices:
            await subscribed(front, token)
        assert not front.server.broker.subscriptions  # the table that stock amqtt searches
        assert not front.server.broker.retained_messages
