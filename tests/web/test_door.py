"""What a stranger may send to the web process before anybody looks at it; on real sockets, byte by byte."""

import asyncio
import contextlib
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import psutil
import pytest

from telemetry import services
from tests.transports.http.conftest import World, from_database, world
from tests.transports.http.test_daphne import Web, web
from tests.transports.mqtt.test_runmqtt import ROOT, environment

# Each starts programs: a second or more of nothing but imports.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("door")]

__all__ = ["world"]

PATIENCE = 15.0
MEGABYTE = 1 << 20
ASK = b"GET /api/v1/NOBODY/attributes HTTP/1.1\r\nHost: x\r\n\r\n"  # answered with an empty 401


class Peer:
    """One TCP connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def pour(self, piece: bytes, most: int) -> int:
        """Send `piece` until the other side ends it, at most `most` times; how often it was."""
        for times in range(most):
            if self.writer.is_closing() or self.reader.at_eof():
                return times
            try:
                self.writer.write(piece)
                await self.writer.drain()
            except ConnectionError:
                return times
        return most

    async def status(self) -> int:
        """The status of the response; 0 when the connection ended without one."""
        async with asyncio.timeout(PATIENCE):
            try:
                line = await self.reader.readline()
            except ConnectionError:
                return 0
        return int(line.split()[1]) if line else 0

    async def rest(self) -> bytes:
        """Everything up to the end."""
        async with asyncio.timeout(PATIENCE):
            try:
                return await self.reader.read()
            except ConnectionError:
                return b""


@asynccontextmanager
async def peer(at: Web) -> AsyncIterator[Peer]:
    reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
    try:
        yield Peer(reader, writer)
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


def memory(at: Web) -> int:
    return int(psutil.Process(at.process.pid).memory_info().rss)


def post(path: str, *headers: str) -> bytes:
    return "\r\n".join([f"POST {path} HTTP/1.1", "Host: x", *headers, "", ""]).encode()


async def test_a_gigabyte_that_is_announced_is_refused_before_it_is_read(world: World) -> None:
    async with web() as at:
        before = memory(at)
        for path, kind in (
            ("/api/v1/ONE/telemetry", b"text/plain"),
            ("/api/v1/ON%45/telemetry?x", b"text/plain"),
            ("/api/auth/login", b"application/json"),
            ("/admin/login/", b"text/plain"),
        ):
            async with peer(at) as one:
                one.send(post(path, "Content-Length: 1073741824", "Expect: 100-continue"))
                assert await one.status() == 413
                answer = await one.rest()
                assert kind in answer and b"expected at most" in answer
        async with peer(at) as one:  # and who sends it all the same is read no further, but sees the answer
            one.send(post("/api/v1/ONE/telemetry", "Content-Length: 1073741824"))
            assert await one.pour(b"x" * MEGABYTE, 1024) < 1024
            assert await one.status() in (413, 0)
        assert memory(at) - before < 8 * MEGABYTE
        assert (await at.post("ONE", b'{"a":1}')).status_code == 200


async def test_devices_have_a_smaller_limit_than_the_platforms_own_routes(world: World) -> None:
    async with web(TB_HTTP_MAX_PAYLOAD=1000, TB_HTTP_MAX_BODY=100_000) as at:
        assert (await at.post("ONE", b'{"a":1}'.ljust(1000))).status_code == 200
        assert (await at.post("ONE", b'{"a":2}'.ljust(1001))).status_code == 413
        login = "/api/auth/login"
        assert (await at.client.post(login, content=b"{}".ljust(100_000))).status_code in (400, 401)
        refused = await at.client.post(login, content=b"{}".ljust(100_001))
        assert refused.status_code == 413
        assert refused.json()["errorCode"] == 31 and refused.json()["status"] == 413
        assert (await from_database(services.latest, world.devices["ONE"].id))["a"].value == 1


@pytest.mark.parametrize(
    ("chunk", "status"), [(b"4000\r\n" + b"x" * 0x4000 + b"\r\n", 413), (b"1;a=b\r\nx\r\n" * 200, 400)]
)
async def test_a_body_without_an_end_is_cut_at_the_limit(world: World, chunk: bytes, status: int) -> None:
    async with web(TB_HTTP_MAX_BODY=MEGABYTE) as at:
        before = memory(at)
        for path in ("/api/v1/ONE/telemetry", "/api/auth/login"):
            async with peer(at) as one:
                one.send(post(path, "Transfer-Encoding: chunked"))
                pouring = asyncio.create_task(one.pour(chunk, 1_000_000))
                assert await one.status() in (status, 0)
                assert await pouring < 1_000_000
        assert memory(at) - before < 16 * MEGABYTE
        assert (await at.post("ONE", b'{"a":1}')).status_code == 200


@pytest.mark.parametrize(
    ("begin", "drop", "status"),
    [
        (b"", b"", 0),
        (b"", b"P", 0),
        (b"POST /api/auth/login HTTP/1.1\r\n", b"X-A: b\r\n", 408),
        (post("/api/auth/login", "Content-Length: 900"), b"x", 408),
        (post("/api/v1/ONE/telemetry", "Transfer-Encoding: chunked"), b"1\r\nx\r\n", 408),
    ],
)
async def test_who_sends_byte_after_byte_is_closed(world: World, begin: bytes, drop: bytes, status: int) -> None:
    async with web(TB_HTTP_READ_TIMEOUT=0.4) as at, peer(at) as slow:
        slow.send(begin)
        answered = asyncio.create_task(slow.status())
        while not answered.done():
            slow.send(drop)
            await asyncio.sleep(0.05)
        assert await answered == status


async def test_an_idle_connection_is_closed_and_one_that_is_used_again_is_not(world: World) -> None:
    async with web(TB_HTTP_READ_TIMEOUT=0.4, TB_HTTP_IDLE_TIMEOUT=1) as at, peer(at) as one:
        for _ in range(3):
            await healthy(one)
            await asyncio.sleep(0.5)  # longer than a request may take: between two of them nothing is owed
        assert not one.reader.at_eof()
        await one.rest()


async def test_headers_are_bounded(world: World) -> None:
    async with web() as at:
        for flood in (b"X-A: b\r\n" * 101, b"X-A: " + b"b" * 17_000 + b"\r\n", b"X-A: " + b"b" * 100_000):
            async with peer(at) as one:
                one.send(b"GET /health/live HTTP/1.1\r\n" + flood + b"\r\n")
                assert await one.status() in (400, 0)
        for length in ("9" * 5000, "-1", "1e9", "0x10"):
            async with peer(at) as one:
                one.send(post("/api/v1/ONE/telemetry", f"Content-Length: {length}"))
                assert await one.status() in (400, 0)
        assert (await at.post("ONE", b'{"a":1}')).status_code == 200


async def test_places_are_limited_and_never_leak(world: World) -> None:
    async with web(TB_HTTP_MAX_CONNECTIONS=3) as at:
        await at.client.aclose()
        for first in (b"", b"GET /", b"nonsense\r\n\r\n", post("/x", "Content-Length: 999999999")) * 3:
            async with peer(at) as one:
                one.send(first)
        upgrade = (
            "GET /ws HTTP/1.1", "Host: x", "Upgrade: websocket", "Connection: Upgrade",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13", "", "",
        )  # fmt: skip
        for _ in range(4):
            async with peer(at) as one:
                one.send("\r\n".join(upgrade).encode())
                await one.status()
        for _ in range(2):
            async with AsyncExitStack() as places:
                for _ in range(3):
                    await seated(at, places)
                async with peer(at) as surplus:
                    assert await surplus.status() == 0


async def seated(at: Web, places: AsyncExitStack) -> None:
    """Take a place as soon as one is free, and keep it."""
    async with asyncio.timeout(PATIENCE):
        while True:
            async with AsyncExitStack() as attempt:
                one = await attempt.enter_async_context(peer(at))
                one.send(ASK)
                if await one.status() == 401:
                    places.push_async_exit(attempt.pop_all())
                    return
            await asyncio.sleep(0.02)


async def healthy(one: Peer) -> None:
    """It is served, and again when asked again: nothing of the response is left."""
    one.send(ASK)
    assert await one.status() == 401
    assert b"content-length: 0\r\n" in (await one.reader.readuntil(b"\r\n\r\n")).lower()


async def test_all_bodies_together_are_bounded_and_given_back(world: World) -> None:
    async with web(TB_HTTP_MAX_BODIES=100_000) as at:
        async with asyncio.timeout(PATIENCE):
            busy = False
            while not busy:
                async with peer(at) as holder:  # who is refused itself when the other body arrives first
                    holder.send(post("/api/v1/ONE/telemetry", "Content-Length: 90001") + b"x" * 90_000)
                    busy = (await at.post("TWO", b" " * 20_000 + b"{}")).status_code == 503
                    assert (await at.post("TWO", b'{"a":1}')).status_code == 200
            while (await at.post("TWO", b" " * 90_000 + b"{}")).status_code != 200:
                await asyncio.sleep(0.02)
        for _ in range(5):
            assert (await at.post("TWO", b" " * 90_000 + b"{}")).status_code == 200


async def test_a_form_is_parsed_by_django_alone(world: World) -> None:
    async with web() as at:
        page = await at.client.get("/admin/login/")
        token = page.cookies["csrftoken"]
        form = {"csrfmiddlewaretoken": token, "username": "nobody@example.org", "password": "x"}
        answer = await at.client.post("/admin/login/", data=form, headers={"Referer": str(at.client.base_url)})
        assert answer.status_code == 200
        assert "nobody@example.org" in answer.text


async def test_a_half_request_does_not_spoil_the_end(world: World) -> None:
    async with web() as at:
        async with peer(at) as half:
            half.send(post("/api/v1/ONE/telemetry", "Content-Length: 10") + b"{")
            assert (await at.post("ONE", b'{"a":1}')).status_code == 200
            at.process.send_signal(signal.SIGTERM)
            assert await at.ended() in (0, -signal.SIGTERM)
        assert "Traceback" not in at.said(), at.said()


async def test_a_port_in_use_is_one_clear_line(world: World) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = await asyncio.create_subprocess_exec(
            sys.executable, "manage.py", "runweb", cwd=ROOT, env=environment(1) | {"TB_HTTP_PORT": str(port)},
            stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        async with asyncio.timeout(PATIENCE):
            _, said = await process.communicate()
    assert process.returncode == 1
    assert f"Cannot listen on 127.0.0.1:{port}" in said.decode() and "Traceback" not in said.decode()
