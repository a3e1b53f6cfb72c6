"""Several `runmqtt` processes: takeovers between them, the death of one, and one that was frozen."""

import asyncio
import contextlib
import random
import signal
import time

import pytest

from telemetry.models import TsKv
from tests.transports.mqtt import client5
from tests.transports.mqtt.client import Device, connect, puback, publish
from tests.transports.mqtt.client5 import disconnected
from tests.transports.mqtt.conftest import World, from_database
from tests.transports.mqtt.test_runmqtt import free_port, running
from thingsboard.transports.mqtt import packets

# Each starts programs: a second or more of nothing but imports.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("mqtt processes")]

ROUNDS = 15
LEASE = "2"


async def stored(world: World, token: str) -> list[int]:
    """The values of a device in the order of their time stamps."""

    def read() -> list[int]:
        found = TsKv.objects.filter(entity_id=world.devices[token].id).order_by("ts")
        return list(found.values_list("long_v", flat=True))

    return await from_database(read)


class Talker:
    """A device that publishes numbers without a pause, and notes which were acknowledged."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.number = 0
        self.acknowledged: set[int] = set()
        self.ends: list[bytes] = []

    async def talk(self, device: Device, numbers: dict[int, int]) -> None:
        """Until the connection ends."""
        while not device.writer.is_closing():
            self.number += 1
            packet_id = self.number % 60_000 + 1
            numbers[packet_id] = self.number
            device.send(client5.publish(b'{"n":%d}' % self.number, packet_id))
            try:
                await device.writer.drain()
            except ConnectionError:
                return
            await asyncio.sleep(0.001)

    async def listen(self, device: Device, numbers: dict[int, int]) -> None:
        while said := await device.receive(20):
            if said[0] == 0x40:
                self.acknowledged.add(numbers[said[2] << 8 | said[3]])
            else:
                self.ends.append(said)

    async def live(self) -> None:
        """Connect again and again while the older connection still talks."""
        talking: asyncio.Task[None] | None = None
        listening = []
        for _ in range(ROUNDS):
            newer = await Device.dial(self.port)
            if random.random() < 0.5:
                await asyncio.sleep(0.01)
            if talking is not None:
                talking.cancel()  # a device sends on one connection at a time
                await asyncio.gather(talking, return_exceptions=True)
            newer.send(client5.connect("ONE"))
            assert client5.connack(await newer.receive())[0] == 0
            numbers: dict[int, int] = {}
            listening.append(asyncio.create_task(self.listen(newer, numbers)))
            talking = asyncio.create_task(self.talk(newer, numbers))
            await asyncio.sleep(0.1)
        assert talking is not None
        talking.cancel()
        await asyncio.sleep(0.5)
        for device in list(Device.living):
            await device.leave()
        await asyncio.gather(*listening, return_exceptions=True)


async def test_takeovers_between_processes_lose_nothing_and_keep_the_order(world: World) -> None:
    port = free_port()
    async with running(port, TB_MQTT_PROCESSES="2"), running(port, TB_MQTT_PROCESSES="2"):
        talker = Talker(port)
        await talker.live()
        assert len(talker.acknowledged) > ROUNDS
        assert talker.ends == [disconnected(0x8E)] * (ROUNDS - 1)
        found = await stored(world, "ONE")
        assert talker.acknowledged <= set(found)
        assert len(set(found)) == len(found)
        assert found == sorted(found)


async def test_the_devices_of_a_killed_process_are_let_in_by_another_within_two_seconds(world: World) -> None:
    one, two = free_port(), free_port()
    async with running(one, TB_MQTT_LEASE_SECONDS="30") as victim, running(two, TB_MQTT_LEASE_SECONDS="30"):
        device = await Device.enter(one, "ONE")
        device.send(b"".join(publish(b'{"n":%d}' % n, n) for n in range(1, 501)))
        assert await device.receive() == puback(1)
        victim.send_signal(signal.SIGKILL)
        acknowledged = 1
        with contextlib.suppress(ConnectionError):
            while await device.receive():
                acknowledged += 1
        await victim.wait()
        began = time.monotonic()
        device = await Device.dial(two)
        device.send(connect("ONE") + publish(b'{"n":1000}', 1))
        assert await device.receive() == packets.connack(packets.ACCEPTED)
        assert await device.receive() == puback(1)
        assert 0.9 < time.monotonic() - began < 4
        found = await stored(world, "ONE")
        assert set(range(1, acknowledged + 1)) <= set(found)
        assert found == sorted(found)
        assert found[-1] == 1000


@pytest.mark.parametrize("late", [False, True])
async def test_a_frozen_process_stores_nothing_for_devices_that_others_have_served_meanwhile(
    world: World, late: bool
) -> None:
    one, two = free_port(), free_port()
    async with running(one, TB_MQTT_LEASE_SECONDS=LEASE) as frozen, running(two, TB_MQTT_LEASE_SECONDS=LEASE):
        older, other = await client5.enter(one, "ONE"), await client5.enter(one, "TWO")
        older.send(client5.publish(b'{"n":1}', 1))
        assert await older.receive() == puback(1)
        frozen.send_signal(signal.SIGSTOP)
        try:
            older.send(b"".join(client5.publish(b'{"n":%d}' % n, n) for n in range(2, 300)))
            other.send(client5.publish(b'{"n":1}', 1))
            if late:  # when its lease is over already
                await asyncio.sleep(float(LEASE) + 1.2)
            newer = await Device.dial(two)
            newer.send(connect("ONE") + publish(b'{"n":1000}', 1))
            assert await newer.receive(10) == packets.connack(packets.ACCEPTED)
            assert await newer.receive() == puback(1)
        finally:
            frozen.send_signal(signal.SIGCONT)
        assert await older.receive() == disconnected(0x8E)
        assert await older.closed()
        assert await other.receive() == puback(1)
        newer.send(publish(b'{"n":1001}', 2))
        assert await newer.receive() == puback(2)
        assert await stored(world, "ONE") == [1, 1000, 1001]
        assert await stored(world, "TWO") == [1]
