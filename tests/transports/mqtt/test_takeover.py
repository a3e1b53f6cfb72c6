"""One session per device over several nodes: two servers in this process, a real database and a real bus between them."""

import asyncio
import time
import uuid
from typing import Any

import pytest
from django.db import connections

from devices.models import DeviceSession, SessionTakeover
from devices.services.credentials import lookup_of
from devices.services.devices import delete_device
from tests.transports.mqtt import client5
from tests.transports.mqtt.client import Device, connect, puback, publish, subscribe
from tests.transports.mqtt.client5 import connack, disconnected
from tests.transports.mqtt.conftest import Front, World, from_database, serving
from tests.transports.mqtt.recorder import until
from thingsboard.kernel import bus
from thingsboard.transports.mqtt import packets
from thingsboard.transports.session import RUN_AHEAD_MS

RPC = "v1/devices/me/rpc/request/+"


async def row(world: World, token: str = "ONE") -> DeviceSession:
    return await from_database(lambda: DeviceSession.objects.get(device_id=world.devices[token].id))


async def node_of(world: World, token: str = "ONE") -> uuid.UUID | None:
    return (await row(world, token)).node


def id_of(front: Front) -> uuid.UUID:
    return front.server.registry.node.id


def burst(first: int, last: int) -> bytes:
    return b"".join(publish(b"%d" % n, n) for n in range(first, last + 1))


@pytest.fixture
def no_bus(settings: Any) -> Any:
    """A Redis that nobody answers for."""
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    bus.client.cache_clear()
    yield
    bus.client.cache_clear()


async def test_the_newest_wins_on_whichever_node_and_the_older_one_is_told(world: World) -> None:
    async with serving() as first, serving() as second:
        older = await client5.enter(first.port, "ONE")
        assert await node_of(world) == id_of(first)
        newer = await client5.enter(second.port, "ONE")
        assert await older.receive() == disconnected(0x8E)
        assert await older.closed()
        assert first.counted("takeover") == 1
        assert await node_of(world) == id_of(second)
        newest = await Device.enter(first.port, "ONE")
        assert await newer.receive() == disconnected(0x8E)
        newest.send(publish(b"x", 1))
        assert await newest.receive() == puback(1)
        await until(lambda: not first.server.sessions.draining and len(first.server.devices) == 1)
        async with asyncio.timeout(5):
            while await from_database(SessionTakeover.objects.count):
                await asyncio.sleep(0.02)


async def test_the_newer_session_is_read_only_after_the_older_one_has_its_acknowledgements(world: World) -> None:
    async with serving() as first, serving() as second:
        older = await client5.enter(first.port, "ONE")
        first.ingest.sink.release.clear()
        older.send(b"".join(client5.publish(b"%d" % n, n) for n in range(1, 101)))
        await until(lambda: first.ingest.batcher.pending == 100)
        newer = await Device.dial(second.port)
        newer.send(connect("ONE") + burst(1, 3))
        assert await newer.silent(0.3)
        older.send(client5.publish(b"too late", 101))
        first.ingest.sink.release.set()
        assert [await older.receive() for _ in range(100)] == [puback(n) for n in range(1, 101)]
        assert await older.receive() == disconnected(0x8E)
        assert await newer.receive() == packets.connack(0)
        assert [await newer.receive() for _ in range(3)] == [puback(n) for n in range(1, 4)]
        assert len(first.ingest.payloads) == 100
        stamps = [front.server.ingest.last_stamp(world.devices["ONE"].id) for front in (first, second)]
        assert stamps[1] - stamps[0] >= 3


async def test_a_commit_that_takes_its_time_holds_the_newer_session_for_a_second_and_keeps_its_stamps_apart(
    world: World,
) -> None:
    async with serving() as first, serving() as second:
        older = await Device.enter(first.port, "ONE")
        first.ingest.sink.release.clear()
        older.send(burst(1, 500))
        await until(lambda: first.ingest.batcher.pending == 500)
        began = time.monotonic()
        newer = await Device.dial(second.port)
        newer.send(connect("ONE") + publish(b"x", 1))
        assert await newer.receive() == packets.connack(0)
        assert 0.9 < time.monotonic() - began < 4
        assert await newer.receive() == puback(1)
        (message,) = second.ingest.sink.stored
        first_of_newer = message.session.clock.last
        first.ingest.sink.release.set()
        await until(lambda: len(first.ingest.payloads) == 500)
        assert first.server.ingest.last_stamp(world.devices["ONE"].id) < first_of_newer
        assert first_of_newer - time.time() * 1000 < RUN_AHEAD_MS


async def test_of_those_who_come_at_once_exactly_one_stays(world: World) -> None:
    async with serving() as first, serving() as second:
        for _ in range(5):
            crowd = [await Device.dial(front.port) for front in (first, second) * 4]
            for device in crowd:
                device.send(connect("ONE"))
            await until(
                lambda: (
                    len(first.server.devices) + len(second.server.devices)
                    == len(first.server.connections) + len(second.server.connections)
                    == 1
                ),
                10,
            )
            holder = first if first.server.devices else second
            assert await node_of(world) == id_of(holder)
            assert not (first.server.registry._transit or second.server.registry._transit)
            for device in crowd:
                await device.leave()
            await until(lambda: not (first.server.connections or second.server.connections))


async def test_without_a_bus_the_loss_is_found_in_the_database(world: World, settings: Any, no_bus: None) -> None:
    settings.TB_MQTT_LEASE_SECONDS = 2.0
    async with serving() as first, serving() as second:
        older = await client5.enter(first.port, "ONE")
        older.send(client5.publish(b"x", 1))
        assert await older.receive() == puback(1)
        newer = await Device.enter(second.port, "ONE")
        assert await older.receive() == disconnected(0x8E)
        newer.send(publish(b"y", 1))
        assert await newer.receive() == puback(1)


async def test_a_request_for_a_session_that_is_gone_disturbs_nobody_and_is_answered(world: World) -> None:
    async with serving() as first, serving() as second:
        device = await Device.enter(first.port, "ONE")
        epoch = (await row(world)).epoch
        name, asker = f"node:{id_of(first)}", str(id_of(second))
        old = [[str(world.devices["ONE"].id), epoch - 1], [str(world.devices["TWO"].id), 17]]
        await asyncio.to_thread(bus.publish, name, {"from": asker, "surrender": old})
        device.send(publish(b"x", 1))
        assert await device.receive() == puback(1)
        await asyncio.to_thread(bus.publish, name, {"from": asker, "surrender": [[old[0][0], epoch + 5]]})
        assert await device.closed()


async def test_the_end_of_an_older_session_changes_nothing(world: World) -> None:
    async with serving() as first, serving() as second:
        older = await Device.enter(first.port, "ONE")
        await Device.enter(second.port, "ONE")
        assert await older.closed()
        now = await row(world)
        first.server.registry.release(now.device_id, now.epoch - 1, 0)
        await until(lambda: not len(first.server.registry._releases))
        assert await node_of(world) == id_of(second)


async def test_a_session_that_ended_leaves_its_last_stamp_to_the_next_one(world: World) -> None:
    async with serving() as first, serving() as second:
        device = await Device.enter(first.port, "ONE")
        ahead = int(time.time() * 1000) + 700
        first.server.devices[world.devices["ONE"].id].session.clock.last = ahead
        await device.leave()
        async with asyncio.timeout(5):
            while await node_of(world) is not None:
                await asyncio.sleep(0.01)
        assert (await row(world)).stamp == ahead
        device = await Device.enter(second.port, "ONE")
        device.send(publish(b"x", 1))
        assert await device.receive() == puback(1)
        assert second.ingest.sink.stored[0].session.clock.last == ahead + 1


async def test_a_deleted_device_leaves_no_row_behind(world: World) -> None:
    async with serving() as front:
        device = await Device.enter(front.port, "ONE")
        await device.leave()
        gone = world.devices["ONE"]
        await from_database(delete_device, gone)
        assert not await from_database(DeviceSession.objects.filter(device_id=gone.id).count)


@pytest.mark.parametrize("five", [False, True])
async def test_without_a_database_a_known_token_is_refused_as_well(
    world: World, five: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving() as front:
        await Device.enter(front.port, "ONE")
        monkeypatch.setitem(connections["default"].settings_dict, "HOST", "/nowhere")
        await front.server.registry._line.close()
        device = await Device.dial(front.port)
        if five:
            device.send(client5.connect("ONE"))
            assert connack(await device.receive())[0] == 0x88
        else:
            device.send(connect("ONE"))
            assert await device.receive() == packets.connack(packets.UNAVAILABLE)
        assert len(front.server.devices) == 1
        monkeypatch.undo()
        await Device.enter(front.port, "ONE")


async def test_a_node_whose_lease_was_over_compares_its_sessions(world: World, settings: Any) -> None:
    settings.TB_MQTT_LEASE_SECONDS = 60.0
    async with serving() as first:
        lost, kept = await client5.enter(first.port, "ONE"), await Device.enter(first.port, "TWO")
        first.server.ingest.lease.extend(0.0)  # as if frozen beyond it
        device_id, other = world.devices["ONE"].id, uuid.uuid4()

        def taken() -> None:
            DeviceSession.objects.filter(device_id=device_id).update(node=other, epoch=99)

        await from_database(taken)
        await first.server.registry.node.renew()
        assert await lost.receive() == disconnected(0x8E)
        assert not first.server.ingest.lease.over()
        kept.send(publish(b"x", 1))
        assert await kept.receive() == puback(1)


async def test_credentials_that_change_while_a_claim_waits_let_nobody_in(world: World) -> None:
    async with serving() as first, serving() as second:
        older = await Device.enter(first.port, "ONE")
        first.ingest.sink.release.clear()
        older.send(publish(b"x", 1))
        await until(lambda: first.ingest.batcher.pending == 1)
        newer = await Device.dial(second.port)
        newer.send(connect("ONE"))
        await until(lambda: bool(second.server._entering))
        second.server.credentials_changed(world.devices["ONE"].id, lookup_of("ONE"))
        assert await newer.closed()
        first.ingest.sink.release.set()
        assert await older.receive() == puback(1)
        async with asyncio.timeout(5):
            while await node_of(world) is not None:
                await asyncio.sleep(0.01)
        assert not second.server.devices


async def test_a_delivery_finds_the_device_on_the_other_node(world: World) -> None:
    async with serving() as first, serving() as second:
        device = await Device.enter(second.port, "ONE")
        device.send(subscribe(RPC))
        await device.receive()
        device_id, topic = world.devices["ONE"].id, "v1/devices/me/rpc/request/7"
        registry = first.server.registry
        assert await registry.owner(device_id) == id_of(second)
        assert await registry.deliver(device_id, topic, b"\x00quiet", 0)
        assert await device.receive() == publish(b"\x00quiet", topic=topic)
        sending = asyncio.create_task(registry.deliver(device_id, topic, b"loud", 1))
        assert await device.receive() == publish(b"loud", 1, topic=topic)
        device.send(puback(1))
        assert await sending
        assert not await registry.deliver(device_id, "v1/devices/me/attributes", b"{}", 1)  # not subscribed
        assert not await registry.deliver(device_id, topic, b"unanswered", 1, seconds=0.1)
        assert not await registry.deliver(world.devices["TWO"].id, topic, b"{}", 0)
        assert not registry._deliveries


async def test_takeovers_while_the_store_is_away_add_nothing_to_what_is_on_its_way(world: World) -> None:
    async with serving() as front:
        front.ingest.sink.release.clear()
        devices = []
        for _ in range(4):
            devices.append(await Device.enter(front.port, "ONE"))
            devices[-1].send(burst(1, 400))
            await until(lambda: front.ingest.batcher.pending == 400)
        assert await devices[-1].silent()
        assert front.ingest.batcher.pending == 400
        front.ingest.sink.release.set()
        assert [await devices[-1].receive() for _ in range(400)] == [puback(n) for n in range(1, 401)]
        assert len(front.ingest.payloads) == 800
        assert not front.server.sessions.draining
