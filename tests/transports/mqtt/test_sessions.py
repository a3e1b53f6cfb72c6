"""Two devices, one topic; one session per device; what ends a session."""

import asyncio
import gc
import weakref

import pytest

from devices.models import DeviceCredentials
from devices.services.credentials import lookup_of
from tests.transports.mqtt.client import ATTRIBUTES, TELEMETRY, Device, connect, puback, publish, subscribe, unsubscribe
from tests.transports.mqtt.conftest import World, from_database, serving
from tests.transports.mqtt.recorder import until
from thingsboard.transports.mqtt import packets
from thingsboard.transports.mqtt.revocation import recheck
from thingsboard.transports.mqtt.topics import SUBSCRIPTIONS

RPC = "v1/devices/me/rpc/request/+"


def suback(*codes: int, packet_id: int = 1) -> bytes:
    return bytes((0x90, 2 + len(codes))) + packet_id.to_bytes(2, "big") + bytes(codes)


async def test_nothing_that_a_device_publishes_reaches_another_whatever_it_subscribes_to(world: World) -> None:
    async with serving() as front:
        spy = await Device.enter(front.port, "TWO")
        wishes = [
            "#",
            "+/+/+/telemetry",
            "v1/#",
            "v1/devices/+/attributes",
            TELEMETRY,
            "$SYS/#",
            "/#",
            "v1/devices/me/#",
        ]
        spy.send(subscribe(*wishes, ATTRIBUTES, RPC, qos=2))
        assert await spy.receive() == suback(*[0x80] * len(wishes), 1, 1)
        for token in ("ONE", "STRANGER"):
            device = await Device.dial(front.port)
            device.send(connect(token, will=(ATTRIBUTES, b"will")))
            assert await device.receive() == packets.connack(0)
            device.send(subscribe(ATTRIBUTES))
            assert await device.receive() == suback(1)
            for number, topic in enumerate((TELEMETRY, ATTRIBUTES, "v1/devices/me/rpc/request/1", "anything"), 1):
                device.send(publish(b'{"secret":1}', number, topic=topic, qos=1))
                device.send(b"\x31" + publish(b'{"secret":1}', topic=topic)[1:])  # retained
                assert await device.receive() == puback(number)
            device.writer.transport.abort()
        late = await Device.enter(front.port, "TWO")
        late.send(subscribe(ATTRIBUTES))
        assert await late.receive() == suback(1)
        assert await late.silent()
        assert await spy.receive() == b""  # taken over, and nothing came before


async def test_exactly_the_filters_of_the_device_api_are_granted(world: World) -> None:
    async with serving() as front:
        device = await Device.enter(front.port, "ONE")
        for number, pattern in enumerate(sorted(SUBSCRIPTIONS), 1):
            device.send(subscribe(pattern, packet_id=number, qos=number % 3))
            assert await device.receive() == suback(min(number % 3, 1), packet_id=number)
        for pattern in (
            "v1/devices/me/attributes/+",
            "v1/devices/me/rpc/+/+",
            "v2/+",
            "a",
            "+",
            "#",
            "/provision/response",
        ):
            device.send(subscribe(pattern))
            assert await device.receive() == suback(0x80)
        device.send(publish(b"still there", 5))
        assert await device.receive() == puback(5)


async def test_a_delivery_reaches_the_subscribed_session_of_that_device_alone(world: World) -> None:
    async with serving() as front:
        one, two = await Device.enter(front.port, "ONE"), await Device.enter(front.port, "TWO")
        device_id, topic = world.devices["ONE"].id, "v1/devices/me/rpc/request/7"
        assert not await front.server.deliver(device_id, topic, b"{}", 0)
        for each in (one, two):
            each.send(subscribe(RPC))
            assert await each.receive() == suback(1)
        assert await front.server.deliver(device_id, topic, b"quiet", 0)
        assert await one.receive() == publish(b"quiet", topic=topic)
        sending = asyncio.create_task(front.server.deliver(device_id, topic, b"loud", 1))
        assert await one.receive() == publish(b"loud", 1, topic=topic)
        one.send(puback(1))
        assert await sending
        assert not await front.server.deliver(device_id, ATTRIBUTES, b"{}", 1)
        one.send(unsubscribe(RPC))
        assert await one.receive() == b"\xb0\x02\x00\x01"
        assert not await front.server.deliver(device_id, topic, b"{}", 1)
        assert await two.silent()


async def test_a_delivery_uses_the_granted_qos_and_ends_with_its_session(world: World) -> None:
    async with serving() as front:
        device = await Device.enter(front.port, "ONE")
        device_id = world.devices["ONE"].id
        device.send(subscribe(ATTRIBUTES, qos=0))
        assert await device.receive() == suback(0)
        assert await front.server.deliver(device_id, ATTRIBUTES, b"{}", 1)
        assert await device.receive() == publish(b"{}", topic=ATTRIBUTES)
        device.send(subscribe(ATTRIBUTES, qos=1))
        assert await device.receive() == suback(1)
        sending = asyncio.create_task(front.server.deliver(device_id, ATTRIBUTES, b"{}", 1))
        assert (await device.receive())[0] == 0x32
        await device.leave()
        assert not await sending
        assert not await front.server.deliver(device_id, ATTRIBUTES, b"{}", 1)


async def test_acknowledgements_that_nobody_waits_for_are_ignored(world: World) -> None:
    async with serving() as front:
        device = await Device.enter(front.port, "ONE")
        device.send(b"".join(puback(n) for n in range(1, 1000)) + publish(b"x", 1))
        assert await device.receive() == puback(1)


async def test_the_newest_connection_of_a_device_wins(world: World) -> None:
    async with serving() as front:
        older = await Device.enter(front.port, "ONE")
        older.send(publish(b"first", 1))
        assert await older.receive() == puback(1)
        newer = await Device.enter(front.port, "ONE")
        assert await older.closed()
        newer.send(publish(b"second", 1))
        assert await newer.receive() == puback(1)
        assert front.counted("takeover") == 1
        assert front.server.devices[world.devices["ONE"].id].client_id
        await until(lambda: len(front.server.connections) == 1)
        first, second = (message.session for message in front.ingest.sink.stored)
        assert front.ingest.shard(first) is front.ingest.shard(second)


async def test_the_same_client_id_of_another_device_disturbs_nobody(world: World) -> None:
    async with serving() as front:
        one = await Device.enter(front.port, "ONE", client_id="same")  # type: ignore[arg-type]
        intruder = await Device.dial(front.port)
        intruder.send(connect("NOBODY", "same", flags=0))
        assert await intruder.receive() == packets.connack(packets.NOT_AUTHORIZED)
        await Device.enter(front.port, "TWO", client_id="same")  # type: ignore[arg-type]
        one.send(publish(b"x", 1))
        assert await one.receive() == puback(1)


async def test_changed_credentials_close_the_session_and_are_asked_for_again(world: World) -> None:
    async with serving() as front:
        one, two = await Device.enter(front.port, "ONE"), await Device.enter(front.port, "TWO")
        asked = front.server.broker.auth.tokens.queries
        front.server.credentials_changed(world.devices["ONE"].id, lookup_of("ONE"))
        assert await one.closed()
        assert front.counted("credentials") == 1
        two.send(publish(b"x", 1))
        assert await two.receive() == puback(1)
        await Device.enter(front.port, "ONE")
        assert front.server.broker.auth.tokens.queries == asked + 1


async def test_a_session_ends_with_its_credentials_even_when_nobody_says_so(world: World) -> None:
    async with serving() as front:
        one, two = await Device.enter(front.port, "ONE"), await Device.enter(front.port, "TWO")
        await recheck(front.server)
        assert len(front.server.devices) == 2
        device = world.devices["ONE"]
        await from_database(lambda: DeviceCredentials.objects.filter(device=device).update(lookup=lookup_of("NEW")))
        await recheck(front.server)
        assert await one.closed()
        two.send(publish(b"x", 1))
        assert await two.receive() == puback(1)
        await Device.enter(front.port, "NEW")
        await recheck(front.server)
        assert len(front.server.devices) == 2


async def test_amqtt_forgets_sessions_that_ended(world: World) -> None:
    async with serving() as front:
        for _ in range(20):
            device = await Device.enter(front.port, "ONE")
            await device.leave()
        for _ in range(20):
            refused = await Device.dial(front.port)
            refused.send(connect("NOBODY"))
            assert await refused.receive() == packets.connack(packets.NOT_AUTHORIZED)
        await until(lambda: not front.server.connections and not front.server._tasks)
        await until(lambda: not front.server.broker.sessions)
        assert not front.server.devices


async def test_a_closed_connection_is_freed_at_once_without_the_garbage_collector(world: World) -> None:
    async with serving() as front:
        gc.collect()
        gc.disable()
        try:
            remains = []
            for _ in range(5):
                device = await Device.enter(front.port, "ONE")
                device.send(subscribe(ATTRIBUTES) + publish(b"x") + publish(b"y", 1))
                assert {(await device.receive())[0] for _ in range(2)} == {0x90, 0x40}
                remains.append(weakref.ref(front.server.devices[world.devices["ONE"].id].session))
                await device.leave()
            last = await Device.enter(front.port, "TWO")  # an idle shard keeps its last batch
            last.send(publish(b"z", 1))
            assert await last.receive() == puback(1)
            front.ingest.sink.stored.clear()
            await until(lambda: len(front.server.connections) == len(front.server.broker.sessions) == 1)
            await until(lambda: [each() for each in remains] == [None] * 5)
        finally:
            gc.enable()


async def test_a_stop_commits_and_acknowledges_what_was_read(world: World) -> None:
    async with serving() as front:
        device = await Device.enter(front.port, "ONE")
        front.ingest.sink.release.clear()
        device.send(b"".join(publish(b"x", n) for n in range(1, 101)))
        await until(lambda: front.ingest.batcher.pending == 100)
        stopping = asyncio.create_task(front.server.stop())
        await asyncio.sleep(0.05)
        device.send(publish(b"not read any more", 101))
        front.ingest.sink.release.set()
        assert await stopping
        assert [await device.receive() for _ in range(100)] == [puback(n) for n in range(1, 101)]
        assert await device.closed()
        assert len(front.ingest.payloads) == 100
        with pytest.raises(OSError):
            await Device.dial(front.port)
