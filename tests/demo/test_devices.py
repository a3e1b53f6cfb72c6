"""The demo devices speak MQTT byte by byte, and come back when the broker does."""

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest

from thingsboard.demo import client, devices

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def read_packet(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Head and body of a packet shorter than 16 KiB."""
    head, length = await reader.readexactly(2)
    if length & 0x80:
        length = (length & 0x7F) + 128 * (await reader.readexactly(1))[0]
    return head, await reader.readexactly(length)


async def serve(handler: Handler) -> tuple[asyncio.Server, int]:
    server = await asyncio.start_server(handler, "127.0.0.1", 0)
    return server, server.sockets[0].getsockname()[1]


async def test_a_device_publishes_with_qos_1_and_after_a_broken_connection_comes_back() -> None:
    received: list[dict[str, float]] = []
    enough = asyncio.Event()

    async def broker(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head, connect = await read_packet(reader)
        assert head == 0x10
        assert connect == b"\x00\x04MQTT\x04\x82\x00\x3c\x00\x00\x00\x05TOKEN"
        writer.write(b"\x20\x02\x00\x00")
        head, publish = await read_packet(reader)
        topic = b"\x00\x17v1/devices/me/telemetry"
        assert head == 0x32
        assert publish.startswith(topic)
        received.append(json.loads(publish[len(topic) + 2 :]))
        if len(received) > 1:
            writer.write(b"\x40\x02" + publish[len(topic) : len(topic) + 2])
            enough.set()
        writer.close()  # the first message is never acknowledged

    server, port = await serve(broker)
    async with server:
        device = devices.Device("TOKEN", devices.dht11)
        task = asyncio.create_task(devices.run(device, "127.0.0.1", port, interval=0.01))
        async with asyncio.timeout(10):
            await enough.wait()
        task.cancel()
    assert received[0].keys() == {"temperature", "humidity"}


async def test_a_refused_token_is_an_error() -> None:
    async def broker(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_packet(reader)
        writer.write(b"\x20\x02\x00\x05")
        writer.close()

    server, port = await serve(broker)
    async with server:
        with pytest.raises(client.Refused, match="return code 5"):
            async with client.connected("127.0.0.1", port, "TOKEN"):
                pass


@pytest.mark.parametrize(
    ("size", "length"), [(0, "00"), (127, "7f"), (128, "8001"), (16383, "ff7f"), (16384, "808001")]
)
def test_lengths_are_seven_bits_a_byte(size: int, length: str) -> None:
    assert client.packet(0x30, b"x" * size)[1 : -size or None].hex() == length


def test_the_curves_stay_plausible_all_day() -> None:
    for hour in range(24):
        now = 1_700_000_000 + hour * 3600.0
        room, computer = devices.dht11(now), devices.raspberry_pi(now)
        assert 17 < room["temperature"] < 28 and 25 < room["humidity"] < 70
        assert 0 < computer["cpuLoad"] <= 100 and 40 < computer["cpuTemperature"] < 70
