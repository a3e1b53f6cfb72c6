"""Behind a proxy: whom it speaks for, whom we believe, and what is no header."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from tests.transports.mqtt.certificates import make
from tests.transports.mqtt.client import Device, connect, puback, publish
from tests.transports.mqtt.conftest import Front, World, serving
from tests.transports.mqtt.recorder import until
from tests.transports.mqtt.test_tls import trusting
from thingsboard.transports.mqtt import packets
from thingsboard.transports.mqtt.certificate import Certificate
from thingsboard.transports.mqtt.listeners import layered
from thingsboard.transports.mqtt.ports import Port
from thingsboard.transports.mqtt.proxy import LONGEST_2, SIGNATURE

PROXIED = Port("proxied", "TB_MQTT_PORT", 0, "MQTT")
PROXIED_TLS = Port("proxied", "TB_MQTT_SSL_PORT", 0, "MQTT over TLS", tls=True)
HERE = [ip_network("127.0.0.0/8")]


def version_2(command: int, family: int, addresses: bytes, extras: bytes = b"") -> bytes:
    body = addresses + extras
    return SIGNATURE + bytes((command, family)) + len(body).to_bytes(2, "big") + body


FOUR = socket.inet_aton("198.51.100.7") + socket.inet_aton("127.0.0.1") + (4711).to_bytes(2, "big") + b"\x07\x5b"
SIX = socket.inet_pton(socket.AF_INET6, "2001:db8::7") + bytes(16) + (4711).to_bytes(2, "big") + b"\x07\x5b"
EXTRAS = b"\x04\x00\x03abc"


@asynccontextmanager
async def proxied(port: Port = PROXIED, certificate: Certificate | None = None, **more: Any) -> AsyncIterator[Front]:
    trusted = more.pop("trusted", HERE)
    async with serving(**more) as front:
        await front.server.listen(layered(port, certificate, trusted), "127.0.0.1")
        yield front


async def dial(front: Front) -> Device:
    return await Device.dial(front.server.ports["proxied"])


def address(front: Front, world: World) -> tuple[str, int]:
    return front.server.devices[world.devices["ONE"].id].address


@pytest.mark.parametrize(
    ("header", "host"),
    [
        (b"PROXY TCP4 198.51.100.7 127.0.0.1 4711 1883\r\n", "198.51.100.7"),
        (b"PROXY TCP6 2001:db8::7 ::1 4711 1883\r\n", "2001:db8::7"),
        (version_2(0x21, 0x11, FOUR), "198.51.100.7"),
        (version_2(0x21, 0x11, FOUR, EXTRAS), "198.51.100.7"),
        (version_2(0x21, 0x21, SIX), "2001:db8::7"),
        (b"PROXY UNKNOWN\r\n", None),
        (b"PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n", None),
        (version_2(0x20, 0x00, b""), None),
        (version_2(0x20, 0x11, FOUR), None),
        (version_2(0x21, 0x00, b"", EXTRAS), None),
        (version_2(0x21, 0x31, bytes(216)), None),
    ],
)
@pytest.mark.parametrize("cut", [False, True], ids=["in one piece", "byte by byte"])
async def test_the_device_is_whom_the_header_names(world: World, header: bytes, host: str | None, cut: bool) -> None:
    async with proxied() as front:
        device = await dial(front)
        if cut:
            for byte in header:
                device.send(bytes((byte,)))
                await device.writer.drain()
            device.send(connect("ONE"))
        else:
            device.send(header + connect("ONE") + publish(b"{}", 1))
        assert await device.receive() == packets.connack(packets.ACCEPTED)
        if cut:
            device.send(publish(b"{}", 1))
        assert await device.receive() == puback(1)
        own = device.writer.get_extra_info("sockname")
        assert address(front, world) == ((host, 4711) if host else own)


async def test_the_header_comes_before_tls(world: World, tmp_path: Path) -> None:
    own = make(tmp_path, "server")
    async with proxied(PROXIED_TLS, Certificate(own.certificate_file, own.key_file)) as front:
        device = await dial(front)
        device.send(b"PROXY TCP4 198.51.100.7 127.0.0.1 4711 8883\r\n")
        await device.writer.start_tls(trusting(own), server_hostname="127.0.0.1")
        device.send(connect("ONE"))
        assert await device.receive() == packets.connack(packets.ACCEPTED)
        assert address(front, world) == ("198.51.100.7", 4711)


@pytest.mark.parametrize(
    "header",
    [
        connect("ONE"),
        b"GET / HTTP/1.1\r\n\r\n",
        b"POST / HTTP/1.1\r\n\r\n",
        b"PROXY TCP4 198.51.100.7 127.0.0.1 4711\r\n",
        b"PROXY TCP4 2001:db8::7 ::1 4711 1883\r\n",
        b"PROXY TCP4 198.51.100.7 127.0.0.1 65536 1883\r\n",
        b"PROXY TCP4 198.51.100.7 127.0.0.1 -1 1883\r\n",
        b"PROXY TCP4 198.51.100.7 127.0.0.1 4711 x\r\n",
        b"PROXY UDP4 198.51.100.7 127.0.0.1 4711 1883\r\n",
        b"PROXY TCP4 \xff\xfe 127.0.0.1 4711 1883\r\n",
        b"PROXY  TCP4 198.51.100.7 127.0.0.1 4711 1883\r\n",
        b"PROXY " + b"x" * 200,
        b"PROXY\r\n",
        version_2(0x11, 0x11, FOUR),
        version_2(0x22, 0x11, FOUR),
        version_2(0x21, 0x11, FOUR[:-1]),
        version_2(0x21, 0x21, FOUR),
        version_2(0x21, 0x11, bytes(LONGEST_2)),
        SIGNATURE[:5] + b"x",
    ],
)
async def test_what_is_no_header_ends_the_connection(world: World, header: bytes) -> None:
    async with proxied() as front:
        device = await dial(front)
        device.send(header)
        assert await device.closed()
        assert front.counted("proxy_header") == 1
        await until(lambda: not front.server.connections)


async def test_nobody_else_may_speak_for_others(world: World) -> None:
    async with proxied(trusted=[ip_network("192.0.2.0/24"), ip_network("::1/128")]) as front:
        device = await dial(front)
        device.send(b"PROXY TCP4 198.51.100.7 127.0.0.1 4711 1883\r\n" + connect("ONE"))
        assert await device.closed()
        assert front.counted("proxy_untrusted") == 1
        assert not front.server.devices


async def test_a_header_has_the_time_of_a_connect_and_takes_a_place_meanwhile(world: World) -> None:
    async with proxied(connect_timeout=0.2, max_connections=1) as front:
        slow = await dial(front)
        slow.send(b"PROXY TCP4")
        await until(lambda: len(front.server.connections) == 1)
        assert await (await Device.dial(front.port)).closed()
        assert front.counted("too_many_connections") == 1
        assert await slow.closed()
        assert front.counted("connect_timeout") == 1


async def test_without_it_a_header_is_no_connect(world: World) -> None:
    async with serving() as front:
        device = await Device.dial(front.port)
        device.send(b"PROXY UNKNOWN\r\n" + connect("ONE"))
        assert await device.closed()
