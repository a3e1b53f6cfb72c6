"""HTTP to others, by httpcore: each connection, a proxy's too, is opened by the guard. Redirects are answers like any other."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, NamedTuple

import httpcore

from thingsboard.kernel.outgoing.errors import Interrupted, NotSent, TooLarge
from thingsboard.kernel.outgoing.guard import Guard, Unreachable
from thingsboard.kernel.outgoing.tls import is_why
from thingsboard.kernel.outgoing.tunnel import Proxy, permitted

CONNECT_S: Final = 10.0
IDLE_S: Final = 10.0  # an unused connection is kept for so long
CONNECTIONS: Final = 1000  # at a time, where nobody wants fewer
BEHIND_PROXY: Final = 100  # the same, through a proxy
MOST_IDLE: Final = 50  # connections to one server that are kept


class Target(NamedTuple):
    """Where a request goes: scheme ("http", "https"), host, port, and path with query."""

    scheme: str
    host: str
    port: int
    path: str


class Answer(NamedTuple):
    """Status with its phrase, headers in the order and spelling in which they came, the whole body."""

    status: int
    reason: str
    headers: Sequence[tuple[str, str]]
    body: bytes


class Client:
    """Connections that are kept and used again, `connections` at most. Cookies and the environment mean nothing to it."""

    def __init__(
        self, guard: Guard, tls: ssl.SSLContext, *, proxy: Proxy | None = None, connections: int = CONNECTIONS
    ) -> None:
        self._guard, self._behind = guard, proxy
        backend = _Guarded(guard.trusting() if proxy is not None and proxy.trusted else guard)
        self._lines: _Lines | _ProxiedLines
        if proxy is None:
            self._lines = _Lines(tls, backend, connections)
        else:
            self._lines = _ProxiedLines(tls, backend, min(connections, BEHIND_PROXY), proxy)

    async def ask(
        self,
        method: str,
        target: Target,
        headers: Iterable[tuple[str, str]],
        body: bytes = b"",
        *,
        within_s: float,
        max_body: int,
    ) -> Answer:
        """The answer, whose body has at most `max_body` bytes, with no pause longer than `within_s` seconds. Raises Refused,
        TooLarge and ValueError (what was asked is no HTTP, or the other side is not whom it should be), NotSent, Interrupted.
        """
        if self._behind is not None:
            await permitted(self._guard, target.host, target.port)
        timeout = {"connect": min(CONNECT_S, within_s), "pool": within_s, "read": within_s, "write": within_s}
        request = httpcore.Request(
            method,
            httpcore.URL(scheme=target.scheme, host=target.host, port=target.port, target=target.path),
            headers=_framed(target, headers, body),
            content=body or None,
            extensions={"timeout": timeout},
        )
        try:
            async with self._lines.asking(request, within_s) as response:
                return await _read(response, max_body)
        except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
            if is_why(error):
                raise ValueError(f"There is no safe connection to {target.host}:{target.port}: {error}.") from error
            raise NotSent(
                str(error) or f"{target.host}:{target.port} did not answer within {CONNECT_S:g} s."
            ) from error
        except httpcore.PoolTimeout as error:
            raise NotSent(f"No connection was free within {within_s:g} s.") from error
        except httpcore.ProxyError as error:
            raise ValueError(f"The proxy says {error}.") from error
        except httpcore.LocalProtocolError as error:
            raise ValueError(f"The request is not HTTP: {error}.") from error
        except httpcore.TimeoutException as error:
            raise Interrupted(f"{target.host}:{target.port} was silent for {within_s:g} s.") from error
        except (httpcore.NetworkError, httpcore.RemoteProtocolError) as error:
            raise Interrupted(f"{target.host}:{target.port}: {str(error) or 'the connection was lost'}.") from error

    async def close(self) -> None:
        """All connections that nobody uses."""
        await self._lines.close()


class _Lines:
    """Connections to servers, those that are idle by server. httpcore's own pool looks at every connection twice for each
    request: with hundreds of them it would do nothing else.
    """

    def __init__(self, tls: ssl.SSLContext, backend: httpcore.AsyncNetworkBackend, most: int) -> None:
        self._tls, self._backend = tls, backend
        self._free = asyncio.Semaphore(most)
        self._idle: dict[tuple[bytes, bytes, int], list[httpcore.AsyncHTTPConnection]] = {}

    @asynccontextmanager
    async def asking(self, request: httpcore.Request, within_s: float) -> AsyncIterator[httpcore.Response]:
        """The answer, whose connection is kept if it can be used again. Raises httpcore's errors."""
        async with _place(self._free, within_s):
            origin = request.url.origin
            connection = await self._take(origin)
            try:
                response = await connection.handle_async_request(request)
                try:
                    yield response
                finally:
                    await response.aclose()
            finally:
                await self._give_back(origin, connection)

    async def _take(self, origin: httpcore.Origin) -> httpcore.AsyncHTTPConnection:
        server = (origin.scheme, origin.host, origin.port)
        idle = self._idle.get(server, [])
        while idle:
            connection = idle.pop()
            if not idle:
                del self._idle[server]
            if connection.is_available() and not connection.has_expired():
                return connection
            await connection.aclose()
        return httpcore.AsyncHTTPConnection(
            origin, ssl_context=self._tls, keepalive_expiry=IDLE_S, network_backend=self._backend
        )

    async def _give_back(self, origin: httpcore.Origin, connection: httpcore.AsyncHTTPConnection) -> None:
        server = (origin.scheme, origin.host, origin.port)
        known = self._idle.get(server, [])
        usable = connection.is_idle() and not connection.is_closed()
        if usable and len(known) < MOST_IDLE and (known or len(self._idle) < MOST_IDLE):
            self._idle.setdefault(server, known).append(connection)
        else:
            await connection.aclose()

    async def close(self) -> None:
        """Those that nobody uses."""
        idle, self._idle = self._idle, {}
        for connection in (each for found in idle.values() for each in found):
            await connection.aclose()


class _ProxiedLines:
    """Connections through a proxy. There are never more requests than may have a connection, so none waits in the pool."""

    def __init__(self, tls: ssl.SSLContext, backend: httpcore.AsyncNetworkBackend, most: int, proxy: Proxy) -> None:
        auth = (proxy.user, proxy.password) if proxy.user and proxy.password else None
        url = httpcore.URL(scheme="http", host=proxy.host, port=proxy.port, target="/")
        self._free = asyncio.Semaphore(most)
        self._pool = httpcore.AsyncHTTPProxy(
            url,
            proxy_auth=auth,
            ssl_context=tls,
            max_connections=most,
            keepalive_expiry=IDLE_S,
            network_backend=backend,
        )

    @asynccontextmanager
    async def asking(self, request: httpcore.Request, within_s: float) -> AsyncIterator[httpcore.Response]:
        """The answer. Raises httpcore's errors."""
        async with _place(self._free, within_s):
            response = await self._pool.handle_async_request(request)
            try:
                yield response
            finally:
                await response.aclose()

    async def close(self) -> None:
        """All."""
        await self._pool.aclose()


@asynccontextmanager
async def _place(free: asyncio.Semaphore, within_s: float) -> AsyncIterator[None]:
    """One of those that may ask at the same time. Raises PoolTimeout."""
    try:
        await asyncio.wait_for(free.acquire(), within_s)
    except TimeoutError:
        raise httpcore.PoolTimeout from None
    try:
        yield
    finally:
        free.release()


class _Guarded(httpcore.AsyncNetworkBackend):
    """Connects to addresses that were checked. The name remains that of the certificate and of the Host header."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's name
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        ends = time.monotonic() + (CONNECT_S if timeout is None else timeout)
        try:
            addresses = await self._guard.resolve(host, port)
        except Unreachable as error:
            raise httpcore.ConnectError(str(error)) from error
        why: Exception | None = None
        for left, address in zip(range(len(addresses), 0, -1), addresses, strict=True):
            try:
                wait = max(0.01, (ends - time.monotonic()) / left)
                return await self._network.connect_tcp(address.ip, port, wait, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                why = error
        raise httpcore.ConnectError(f"{host}:{port} cannot be reached: {str(why) or 'no answer'}.") from why

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        raise httpcore.ConnectError("Sockets of this machine are nobody's business.")

    async def sleep(self, seconds: float) -> None:
        await self._network.sleep(seconds)


# How a request is framed is not for those to say who say what it says; and nothing here unpacks answers.
_OURS: Final = frozenset(
    {"content-length", "transfer-encoding", "connection", "accept-encoding", "te", "upgrade", "expect"}
)


def _framed(target: Target, headers: Iterable[tuple[str, str]], body: bytes) -> list[tuple[bytes, bytes]]:
    given = [(_bytes(name), _bytes(value)) for name, value in headers if name.lower() not in _OURS]
    names = {name.lower() for name, _ in given}
    default = 443 if target.scheme == "https" else 80
    host = f"[{target.host}]" if ":" in target.host else target.host
    if b"host" not in names:
        given.insert(0, (b"Host", _bytes(host if target.port == default else f"{host}:{target.port}")))
    if body:
        given.append((b"Content-Length", b"%d" % len(body)))
    return given


def _bytes(text: str) -> bytes:
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace")


async def _read(response: httpcore.Response, max_body: int) -> Answer:
    parts: list[bytes] = []
    length = 0
    async for part in response.aiter_stream():
        length += len(part)
        if length > max_body:
            raise TooLarge(f"The answer is longer than {max_body} bytes.")
        parts.append(part)
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers]
    reason = bytes(response.extensions.get("reason_phrase", b"")).decode("latin-1")
    return Answer(response.status, reason, headers, b"".join(parts))
