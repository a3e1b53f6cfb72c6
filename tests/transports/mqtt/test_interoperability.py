"""What Eclipse's interoperability tests ask of a server, under their names, with a token (the others: docs/reference/mqtt.md).

Written anew against raw sockets and mosquitto's clients: nothing of theirs is copied.
"""

import asyncio
import shutil

import pytest

from tests.transports.mqtt import client5
from tests.transports.mqtt.client import TELEMETRY, Device, connect, publish, subscribe
from tests.transports.mqtt.conftest import World, serving
from tests.transports.mqtt.test_end_to_end import platform
from thingsboard.transports.mqtt import packets
from thingsboard.transports.mqtt.packets import packet, string

PUB, SUB = shutil.which("mosquitto_pub"), shutil.which("mosquitto_sub")


async def test_basic_a_second_connect_and_a_wrong_protocol_name_fail(world: World) -> None:
    async with serving() as front:
        for enter, again in ((Device.enter, connect), (client5.enter, client5.connect)):
            await (await enter(front.port, "ONE")).leave()
            device = await enter(front.port, "ONE")
            device.send(again("ONE"))
            assert (await device.receive())[:1] in (b"", b"\xe0")
            assert await device.closed()
        stranger = await Device.dial(front.port)
        stranger.send(packet(0x10, string("hj") + b"\4\x82\0\0" + string("x") + string("ONE")))
        assert await stranger.closed()


async def test_zero_length_clientid(world: World) -> None:
    async with serving() as front:
        for clean, code in ((0x00, packets.BAD_IDENTIFIER), (0x02, packets.ACCEPTED)):
            device = await Device.dial(front.port)
            device.send(connect("ONE", "", flags=clean))
            assert await device.receive() == packets.connack(code)
        assert front.counted("client_id") == 1
        for clean in (0x00, 0x02):
            await client5.enter(front.port, "ONE", client_id="", flags=clean)


async def test_assigned_clientid(world: World) -> None:
    async with serving() as front:
        given = set()
        for _ in range(2):
            device = await Device.dial(front.port)
            device.send(client5.connect("ONE", ""))
            _, told = client5.connack(await device.receive())
            given.add(told[0x12])
        assert len(given) == 2 and all(len(each) > 2 for each in given)


async def test_subscribe_failure(world: World) -> None:
    async with serving() as front:
        device = await Device.enter(front.port, "ONE")
        device.send(subscribe("test/nosubscribe", qos=2))
        assert await device.receive() == b"\x90\x03\x00\x01\x80"
        device = await client5.enter(front.port, "ONE")
        device.send(client5.subscribe("test/nosubscribe", options=2))
        assert await device.receive() == b"\x90\x04\x00\x01\x00\x8f"


async def test_dollar_topics_are_not_echoed(world: World) -> None:
    async with serving() as front:
        device = await Device.enter(front.port, "ONE")
        device.send(subscribe("+/+") + publish(b"{}", 1, topic="$TopicA/B"))
        assert {(await device.receive())[0] for _ in range(2)} == {0x90, 0x40}
        assert await device.silent()


async def test_session_expiry_0_and_more_end_with_the_connection(world: World) -> None:
    async with serving() as front:
        for expiry in (b"", b"\x11\x00\x00\x00\x00", b"\x11\x00\x00\x00\x05"):
            device = await Device.dial(front.port)
            device.send(client5.connect("ONE", flags=0, properties=expiry))
            answer = await device.receive()
            assert answer[2] == 0  # no session present
            assert (0x11 in client5.connack(answer)[1]) is (expiry[-1:] == b"\5")  # and who asked for one is told


async def test_maximum_packet_size_of_the_server(world: World) -> None:
    async with serving(max_payload=1000) as front:
        device = await client5.enter(front.port, "ONE")
        device.send(client5.publish(b"." * 1001))
        assert await device.receive() == client5.disconnected(0x95)


async def test_flow_control2_more_than_receive_maximum_is_disconnected(world: World) -> None:
    async with serving(max_unacked=5) as front:
        front.ingest.sink.release.clear()
        device = await client5.enter(front.port, "ONE")
        device.send(b"".join(client5.publish(b"x", n, qos=2) for n in range(1, 7)))
        assert await device.receive() == client5.disconnected(0x93)


@pytest.mark.skipif(PUB is None or SUB is None, reason="mosquitto's clients are not installed")
@pytest.mark.parametrize("version", ["mqttv31", "mqttv311", "mqttv5"])
async def test_mosquittos_clients_are_refused_in_words_that_they_know(world: World, version: str) -> None:
    async def run(program: str | None, port: int, token: str, *more: str) -> tuple[int | None, str]:
        process = await asyncio.create_subprocess_exec(
            str(program), "-V", version, "-h", "127.0.0.1", "-p", str(port), "-u", token, *more,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        async with asyncio.timeout(10):
            said, _ = await process.communicate()
        return process.returncode, said.decode().lower()

    async with platform() as server:
        for qos in ("0", "1", "2"):
            good = ("-t", TELEMETRY, "-q", qos, "-m", '{"a":1}')
            assert await run(PUB, server.port, "ONE", *good) == (0, "")
            code, said = await run(PUB, server.port, "NOBODY", *good)
            assert code and ("not authori" in said or "bad user" in said), said
        code, said = await run(SUB, server.port, "NOBODY", "-t", "v1/devices/me/attributes")
        assert code and ("not authori" in said or "bad user" in said), said
        _, said = await run(SUB, server.port, "ONE", "-t", "#")
        assert "all subscription requests were denied" in said, said
        code, said = await run(PUB, server.port, "ONE", "-t", TELEMETRY, "-q", "1", "-m", "{", "--repeat", "1")
        assert code or "failed" in said, said  # closed, or in MQTT 5 a reason code
