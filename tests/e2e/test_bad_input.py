"""Everything that a hostile or broken client may send, in one run beside a good one: a clear refusal for that client
alone, counted, and everybody else's batch commits.
"""

import asyncio
import re
import socket
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from tests.e2e.api import Api
from tests.transports.mqtt.client import Device, connect, puback, publish
from tests.up import Up, platforms
from tests.waiting import until
from thingsboard.kernel.time import now_ms

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

GOOD_TOKEN, GOOD_NAME = "T1_DEMO_TOKEN", "Thermostat T1"
BAD_TOKEN, BAD_NAME = "T2_DEMO_TOKEN", "Thermostat T2"
PAUSE = 0.02  # seconds between the good client's messages

# What is published -> how it is counted. Each ends its connection without an acknowledgement.
PAYLOADS: dict[str, tuple[bytes, str]] = {
    "broken JSON": (b'{"a":', "payload"),
    "NaN": (b'{"a":NaN}', "payload"),
    "NUL in a string": (b'{"a":"x\\u0000y"}', "payload"),
    "lone surrogate": (b'{"a":"\\ud800"}', "payload"),
    "not UTF-8": (b'{"a":"\xff"}', "payload"),
    "10,000 keys": (orjson.dumps({f"k{n}": 1 for n in range(10_000)}), "packet_size"),
    "5,000 keys": (orjson.dumps({f"k{n}": 1 for n in range(5_000)}), "payload"),
    "a key of 256 characters": (orjson.dumps({"k" * 256: 1}), "key"),
    "year 1": (b'{"ts":-62135596800000,"values":{"a":1}}', "payload"),
    "year 9999": (b'{"ts":253370764800000,"values":{"a":1}}', "payload"),
    "1 MB": (b'{"a":"' + b"x" * 1_000_000 + b'"}', "packet_size"),
}


@pytest.fixture(scope="module")
def platform(disk_dir: Path) -> Iterator[Up]:
    """A whole platform that is quick to lose patience and to tell what it counted."""
    starting = platforms()
    platform = next(starting)(
        disk_dir, TB_DEMO=0, TB_MQTT_CONNECT_TIMEOUT=0.5, TB_MQTT_REPORT_SECONDS=0.1, TB_MQTT_WRITE_BUFFER=65536
    )
    platform.await_ready()
    yield platform
    with pytest.raises(StopIteration):
        next(starting)


class Good:
    """A client that publishes 50 messages a second with QoS 1 and hears of every acknowledgement."""

    def __init__(self, device: Device) -> None:
        self.device = device
        self.base = now_ms()
        self.sent = self.acknowledged = 0
        self._stopping = asyncio.Event()
        self._sender = asyncio.create_task(self._send())
        self._receiver = asyncio.create_task(self._receive())

    async def _send(self) -> None:
        while not self._stopping.is_set():
            values = orjson.dumps({"ts": self.base + self.sent, "values": {"n": self.sent}})
            self.sent += 1
            self.device.send(publish(values, self.sent))
            await asyncio.sleep(PAUSE)

    async def _receive(self) -> None:
        while True:
            assert await self.device.receive() == puback(self.acknowledged + 1)
            self.acknowledged += 1

    async def finish(self) -> int:
        """Stop sending, wait for the last acknowledgement; how many there were. Fails when it was cut off."""
        self._stopping.set()
        await self._sender
        async with asyncio.timeout(10):
            while self.acknowledged < self.sent and not self._receiver.done():
                await asyncio.sleep(0.01)
        assert not self._receiver.done(), self._receiver.exception()
        self._receiver.cancel()
        await self.device.leave()
        return self.acknowledged


async def test_bad_input_is_refused_and_counted_for_its_client_alone(platform: Up) -> None:
    port = platform.mqtt_port
    good = Good(await Device.enter(port, GOOD_TOKEN))
    expected: Counter[str] = Counter()

    device = await Device.dial(port)
    device.send(connect("NO_SUCH_TOKEN"))
    assert await device.receive() == b"\x20\x02\x00\x05"  # not authorized
    assert await device.closed()
    expected["wrong_token"] += 1

    for number, (what, (payload, reason)) in enumerate(PAYLOADS.items(), 1):
        device = await Device.enter(port, BAD_TOKEN, client_id="bad")
        device.send(publish(orjson.dumps({"ts": now_ms(), "values": {"fine": number}}), 1))
        assert await device.receive() == puback(1), what
        device.send(publish(payload, 2))
        assert await device.closed(), what
        expected[reason] += 1
        await device.leave()

    for what, packet, reason in (
        ("a topic longer than its packet", b"\x32\x04\xff\xffab", "publish"),
        ("a remaining length of five bytes", b"\x32\xff\xff\xff\xff\x7f", "length"),
        ("a second CONNECT", connect(BAD_TOKEN), "second_connect"),
        ("a wildcard in a topic", publish(b"{}", 1, topic="v1/#"), "topic"),
    ):
        device = await Device.enter(port, BAD_TOKEN, client_id="bad")
        device.send(packet)
        assert await device.closed(), what
        expected[reason] += 1
        await device.leave()

    device = await Device.enter(port, BAD_TOKEN, client_id="bad")
    device.send(publish(b'{"late":1}', 1)[:-3])  # cut off within a packet
    await device.leave()

    for what, start in (("never sends CONNECT", b""), ("sends half of it", connect(BAD_TOKEN)[:-3])):
        device = await Device.dial(port)
        device.send(start)
        assert await device.closed(), what
        expected["connect_timeout"] += 1

    await never_reads(port)
    expected["slow_consumer"] += 1

    device = await Device.enter(port, BAD_TOKEN, client_id="bad")
    device.send(publish(b'{"big":123456789012345678901234567890}', 1))
    assert await device.receive() == puback(1)  # ThingsBoard keeps it as text
    await device.leave()

    sent = await good.finish()
    assert sent == good.sent >= 50
    until(lambda: expected <= counted(platform), 10)
    assert counted(platform) == expected
    assert_stored(platform, good.base, sent)


async def never_reads(port: int) -> None:
    """A client that asks and asks and reads no answer: its connection is cut."""
    quiet = socket.socket()
    # Before it connects: with so small a window the server's kernel takes little for us, where it would take 4 MB.
    quiet.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    quiet.setblocking(False)
    loop = asyncio.get_running_loop()
    with quiet:
        await loop.sock_connect(quiet, ("127.0.0.1", port))
        await loop.sock_sendall(quiet, connect(BAD_TOKEN))
        async with asyncio.timeout(90):
            with pytest.raises(ConnectionError):
                while True:
                    await loop.sock_sendall(quiet, b"\xc0\x00" * 50_000)


def counted(platform: Up) -> Counter[str]:
    """The sums of what the mqtt process has logged."""
    found: Counter[str] = Counter()
    for line in re.findall(r"Refused or dropped: (.*)\.", platform.log.read_text()):
        for reason, count in re.findall(r"(\w+) (\d+)", line):
            found[reason] += int(count)
    return found


def assert_stored(platform: Up, base: int, sent: int) -> None:
    api = Api(platform.http_port)
    with platform.database() as connection:
        rows = connection.execute(
            "SELECT ts, long_v FROM ts_kv_all JOIN ts_key key ON key.id = key_id "
            "WHERE entity_id = %s AND key.name = 'n' ORDER BY ts",
            [api.device_id(GOOD_NAME)],
        ).fetchall()
    assert rows == [(base + n, n) for n in range(sent)]
    bad = api.latest(api.device_id(BAD_NAME), "fine", "late", "big", "a")
    assert bad["fine"] == str(len(PAYLOADS))
    assert bad["big"] == "123456789012345678901234567890"
    assert not any(bad.get(key) for key in ("late", "a"))
