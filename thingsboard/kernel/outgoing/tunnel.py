"""Through an HTTP proxy to somebody who does not speak HTTP."""

import asyncio
import base64
import socket
import time
from typing import Final, NamedTuple

from thingsboard.kernel.outgoing.guard import Guard, Unreachable

_LONGEST_ANSWER: Final = 16_384  # bytes


class Proxy(NamedTuple):
    """An HTTP proxy. `trusted`: an operator of the platform has named it, it may be anywhere."""

    host: str
    port: int
    user: str = ""
    password: str = ""
    trusted: bool = False


async def through(guard: Guard, proxy: Proxy, host: str, port: int, timeout_s: float) -> socket.socket:
    """A socket (non-blocking) at whose other end is `host`, by the proxy's CONNECT. Raises Refused, Unreachable, and ValueError
    with a sentence where the proxy will not.
    """
    ends = time.monotonic() + timeout_s
    await permitted(guard, host, port)
    connection = await (guard.trusting() if proxy.trusted else guard).connect(proxy.host, proxy.port, timeout_s)
    try:
        async with asyncio.timeout(max(0.01, ends - time.monotonic())):
            answer = await _asked(connection, proxy, f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
    except (OSError, TimeoutError) as error:
        connection.close()
        raise Unreachable(f"The proxy {proxy.host}:{proxy.port} did not answer in time or broke off.") from error
    except BaseException:
        connection.close()
        raise
    status = answer.split(" ", 2)
    if len(status) < 2 or not status[0].startswith("HTTP/1.") or not status[1].startswith("2"):
        connection.close()
        raise ValueError(f"The proxy {proxy.host}:{proxy.port} says {' '.join(status[1:]) or 'nothing'}.")
    return connection


async def permitted(guard: Guard, host: str, port: int) -> None:
    """A proxy resolves names by itself. What they mean here is checked here; what means nothing here, it has to know."""
    try:
        await guard.resolve(host, port)
    except Unreachable:
        return


async def _asked(connection: socket.socket, proxy: Proxy, place: str) -> str:
    """The first line of the answer; not a byte behind the answer's head is taken."""
    loop = asyncio.get_running_loop()
    lines = [f"CONNECT {place} HTTP/1.1", f"Host: {place}"]
    if proxy.user and proxy.password:
        lines.append(
            "Proxy-Authorization: Basic " + base64.b64encode(f"{proxy.user}:{proxy.password}".encode()).decode()
        )
    await loop.sock_sendall(connection, ("\r\n".join(lines) + "\r\n\r\n").encode())
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        part = await loop.sock_recv(connection, 1)
        if not part or len(head) > _LONGEST_ANSWER:
            raise ConnectionError("no answer")
        head += part
    return head.partition(b"\r\n")[0].decode("latin-1")
