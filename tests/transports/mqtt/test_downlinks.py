"""What is sent to a device, and what it sends again: keep-alive, redelivery, and how much at a time."""

import asyncio

import pytest

from tests.transports.mqtt import client5
from tests.transports.mqtt.client import Device, puback, publish, subscribe
from tests.transports.mqtt.conftest import Front, World, serving
from tests.transports.mqtt.recorder import until
from tests.transports.mqtt.test_end_to_end import platform, points_of
from thingsboard.transports.mqtt.flow import UNACKED

RPC = "v1/devices/me/rpc/request/+"
CALL = "v1/devices/me/rpc/request/7"
STAMPED = b'{"ts":1700000000000,"values":{"a":1}}'


@pytest.mark.parametrize("keep_alive", [1, 60, 65535])
async def test_a_device_is_silent_too_long_after_one_and_a_half_times_its_keep_alive(
    world: World, keep_alive: int
) -> None:
    async with serving(idle_timeout=0.05) as front:
        await Device.enter(front.port, "ONE", keep_alive=keep_alive)
        there = front.server.devices[world.devices["ONE"].id]
        coarse = front.server._sweep_seconds  # `heard` may be older by one sweep
        assert not there.silent_too_long(there.heard + keep_alive * 1.5)
        assert there.silent_too_long(there.heard + keep_alive * 1.5 + coarse + 0.001)


async def test_without_keep_alive_the_idle_timeout_holds(world: World) -> None:
    async with serving(idle_timeout=0.2) as front:
        device = await Device.enter(front.port, "ONE", keep_alive=0)
        assert await device.closed()
        assert front.counted("silence") == 1


async def test_a_repetition_of_qos_1_with_a_time_stamp_is_stored_once(world: World) -> None:
    async with platform() as server:
        for dup in (False, True, True):
            device = await Device.enter(server.port, "ONE")
            device.send(publish(STAMPED, 7, dup=dup))
            assert await device.receive() == puback(7)
            device.writer.transport.abort()
        assert await points_of(world, "ONE") == 1


async def test_a_repetition_of_qos_2_is_stored_once_on_a_connection_and_with_a_stamp_on_two(world: World) -> None:
    async with platform() as server:
        for payload, dup in ((b'{"b":1}', False), (b'{"b":1}', True)):
            if not dup:
                device = await Device.enter(server.port, "ONE")
            device.send(publish(payload, 8, qos=2, dup=dup))
            assert await device.receive() == b"\x50\x02\x00\x08"
        device.send(b"\x62\x02\x00\x08")
        assert await device.receive() == b"\x70\x02\x00\x08"
        assert await points_of(world, "ONE") == 1
        for dup in (False, True):  # the connection breaks between PUBREC and PUBREL
            device = await Device.enter(server.port, "TWO")
            device.send(publish(STAMPED, 9, qos=2, dup=dup))
            assert await device.receive() == b"\x50\x02\x00\x09"
            device.writer.transport.abort()
        assert await points_of(world, "TWO") == 1


async def test_nothing_is_acknowledged_twice_when_the_repetition_overtakes_the_commit(world: World) -> None:
    async with serving() as front:
        front.ingest.sink.release.clear()
        device = await Device.enter(front.port, "ONE")
        device.send(publish(b"x", 3, qos=2) + publish(b"x", 3, qos=2, dup=True))
        await until(lambda: front.ingest.batcher.pending == 1)
        front.ingest.sink.release.set()
        assert await device.receive() == b"\x50\x02\x00\x03"
        assert await device.silent()
        assert front.ingest.payloads == [b"x"]


async def subscribed(front: Front, token: str, receive_maximum: int = 0) -> Device:
    """A device that hears calls; MQTT 5 when it has a receive maximum."""
    if receive_maximum:
        device = await client5.enter(front.port, token, properties=b"\x21" + receive_maximum.to_bytes(2, "big"))
        device.send(client5.subscribe(RPC))
    else:
        device = await Device.enter(front.port, token)
        device.send(subscribe(RPC))
    assert (await device.receive())[0] == 0x90
    return device


@pytest.mark.parametrize("receive_maximum", [0, 3])
async def test_a_downlink_that_is_not_acknowledged_was_not_delivered(world: World, receive_maximum: int) -> None:
    async with serving() as front:
        device = await subscribed(front, "ONE", receive_maximum)
        device_id = world.devices["ONE"].id
        sending = [asyncio.create_task(front.server.deliver(device_id, CALL, b"%d" % n, 1)) for n in range(3)]
        for _ in range(3):
            assert (await device.receive())[0] == 0x32
        device.writer.transport.abort()
        assert await asyncio.gather(*sending) == [False] * 3
        again = await subscribed(front, "ONE", receive_maximum)  # its owner sends it again
        sending_again = asyncio.create_task(front.server.deliver(device_id, CALL, b"0", 1))
        said = await again.receive()
        assert said[0] == 0x32 and said.endswith(b"0")
        again.send(puback(1))
        assert await sending_again


@pytest.mark.parametrize("receive_maximum", [1, 2, 5])
async def test_a_client_never_gets_more_open_publishes_than_its_receive_maximum(
    world: World, receive_maximum: int
) -> None:
    async with serving() as front:
        device = await subscribed(front, "ONE", receive_maximum)
        device_id = world.devices["ONE"].id
        sending = [asyncio.create_task(front.server.deliver(device_id, CALL, b"%d" % n, 1)) for n in range(12)]
        open_ids: list[bytes] = []
        for _ in range(12):
            if len(open_ids) == receive_maximum:
                assert await device.silent(0.05)
                device.send(b"\x40\x02" + open_ids.pop(0))
            said = await device.receive()
            assert said[0] == 0x32
            at = 4 + len(CALL)
            open_ids.append(said[at : at + 2])
        for packet_id in open_ids:
            device.send(b"\x40\x02" + packet_id)
        assert await asyncio.gather(*sending) == [True] * 12


async def test_a_publish_stays_open_until_its_acknowledgement_however_late_it_is(world: World) -> None:
    async with serving() as front:
        device = await subscribed(front, "ONE", 1)
        device_id = world.devices["ONE"].id
        first = asyncio.create_task(front.server.deliver(device_id, CALL, b"1", 1))
        assert (await device.receive()).endswith(b"1")
        second = asyncio.create_task(front.server.deliver(device_id, CALL, b"2", 1))
        assert not await first and not await second  # nobody waits for ever
        third = asyncio.create_task(front.server.deliver(device_id, CALL, b"3", 1))
        assert await device.silent(0.2)
        device.send(puback(1))
        said = await device.receive()
        assert said.endswith(b"3")
        device.send(b"\x40\x02" + said[4 + len(CALL) : 6 + len(CALL)])
        assert await third


async def test_who_waits_for_a_place_is_told_when_the_connection_ends(world: World) -> None:
    async with serving() as front:
        device = await subscribed(front, "ONE", 1)
        sending = [asyncio.create_task(front.server.deliver(world.devices["ONE"].id, CALL, b"x", 1)) for _ in range(20)]
        assert (await device.receive())[0] == 0x32
        sending[10].cancel()
        await device.leave()
        async with asyncio.timeout(3):
            results = await asyncio.gather(*sending, return_exceptions=True)
        assert [each for each in results if each is not False] == [results[10]]


async def test_a_downlink_passes_an_uplink_that_waits(world: World) -> None:
    async with serving(max_unacked=2) as front:
        device = await subscribed(front, "ONE")
        front.ingest.sink.release.clear()
        device.send(b"".join(publish(b"x", n) for n in range(1, 4)))
        there = front.server.devices[world.devices["ONE"].id]
        await until(lambda: bool(there.held & UNACKED))
        assert await front.server.deliver(world.devices["ONE"].id, CALL, b"{}", 0)
        assert await device.receive() == publish(b"{}", topic=CALL)
        front.ingest.sink.release.set()
        assert [await device.receive() for _ in range(3)] == [puback(n) for n in range(1, 4)]
