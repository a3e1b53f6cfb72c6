"""An HTTP server and a forward proxy on loopback, which say what they heard."""

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import h11


@dataclass
class Heard:
    """A request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Reply:
    """What is answered; `body` is sent in one piece with its length, `endless` never ends."""

    status: int = 200
    reason: str = "OK"
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    endless: bool = False
    silent: bool = False
    cut: bool = False


class HttpServer:
    """`heard` are the requests, `connections` how many there were; `reply` says what is answered to one."""

    def __init__(self, reply: Callable[[Heard], Reply]) -> None:
        self.heard: list[Heard] = []
        self.connections = 0
        self.at_once = self.most_at_once = 0
        self.reply = reply
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        connection = h11.Connection(h11.SERVER)
        try:
            while await self._one(connection, reader, writer):
                connection.start_next_cycle()
        except (h11.RemoteProtocolError, ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _one(self, http: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        request, body = None, b""
        while True:
            event = http.next_event()
            if event is h11.NEED_DATA:
                http.receive_data(await reader.read(65536))
            elif isinstance(event, h11.Request):
                request = event
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                break
            else:
                return False
        assert request is not None
        headers = {name.decode(): value.decode("latin-1") for name, value in request.headers}
        heard = Heard(request.method.decode(), request.target.decode(), headers, body)
        self.heard.append(heard)
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        try:
            return await self._answer(http, writer, self.reply(heard))
        finally:
            self.at_once -= 1

    async def _answer(self, http: h11.Connection, writer: asyncio.StreamWriter, reply: Reply) -> bool:
        if reply.silent:
            await asyncio.Event().wait()
        if reply.cut:
            return False
        await asyncio.sleep(0)
        headers = list(reply.headers)
        if not reply.endless:
            headers.append(("Content-Length", str(len(reply.body))))
        head = h11.Response(status_code=reply.status, reason=reply.reason, headers=headers)
        writer.write(http.send(head) or b"")
        while reply.endless:
            writer.write(http.send(h11.Data(data=b"x" * 65536)) or b"")
            await writer.drain()
        writer.write(http.send(h11.Data(data=reply.body)) or b"")
        writer.write(http.send(h11.EndOfMessage()) or b"")
        await writer.drain()
        return http.our_state is not h11.MUST_CLOSE


@asynccontextmanager
async def running(
    server: HttpServer, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> AsyncIterator[HttpServer]:
    """It listens; at the end its connections are closed."""
    async with _listening(server.serve, tls, host) as port:
        server.port = port
        yield server


class ForwardProxy:
    """CONNECT and plain requests, with a password where there is one. `asked` has what it was asked for."""

    def __init__(self, credentials: str = "") -> None:
        self._expected = f"Basic {base64.b64encode(credentials.encode()).decode()}" if credentials else ""
        self.asked: list[str] = []
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            line, *headers = head.split("\r\n")
            method, target, _ = line.split(" ")
            self.asked.append(f"{method} {target}")
            given = [header.partition(": ")[2] for header in headers if header.lower().startswith("proxy-auth")]
            if self._expected and given != [self._expected]:
                writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
                await writer.drain()
                return
            await self._forward(method, target, head, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _forward(
        self, method: str, target: str, head: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        place = target if method == "CONNECT" else target.split("/")[2]
        port = place.rpartition(":")[2]
        upstream, out = await asyncio.open_connection("127.0.0.1", int(port))
        if method == "CONNECT":
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            out.write(head.encode("latin-1"))
        try:
            await asyncio.gather(_pump(reader, out), _pump(upstream, writer))
        finally:
            out.close()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while data := await source.read(65536):
        sink.write(data)
        await sink.drain()
    sink.close()


@asynccontextmanager
async def proxying(proxy: ForwardProxy) -> AsyncIterator[ForwardProxy]:
    """It listens."""
    async with _listening(proxy.serve, None, "127.0.0.1") as port:
        proxy.port = port
        yield proxy


@asynccontextmanager
async def _listening(serve: Callable, tls: ssl.SSLContext | None, host: str) -> AsyncIterator[int]:
    running: set[asyncio.Task] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        running.add(task)
        try:
            await serve(reader, writer)
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            running.discard(task)

    server = await asyncio.start_server(handle, host, 0, ssl=tls, backlog=1000)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in list(running):
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
