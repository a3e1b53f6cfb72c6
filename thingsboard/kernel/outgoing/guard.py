"""Who may be connected to, and the connection itself."""

import asyncio
import errno
import ipaddress
import re
import socket
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Final, NamedTuple, Self

from thingsboard.kernel.outgoing.networks import Ip, Network, special, within

RESOLVE_S: Final = 5.0
RESOLVERS: Final = 32  # threads that wait for the system's resolver
MAX_ADDRESSES: Final = 8  # of one name; more are not tried

_NAME: Final = re.compile(r"[\w-]+(\.[\w-]+)*\.?")

# What a name stands for: addresses as text. Raises OSError. The system's resolver, unless a test has another one.
Resolver = Callable[[str, int], Awaitable[Sequence[str]]]


class Refused(ValueError):
    """Nobody may connect there on behalf of a user."""


class Unreachable(OSError):
    """Nobody answered there: nothing was sent. It may be different a little later."""


class Address(NamedTuple):
    """An address that was checked: connect to this and to nothing else that the name may mean by then."""

    ip: str
    port: int


class Allowed:
    """What is permitted besides the public Internet: names, addresses, networks, each with a port or without.

    `mqtt.factory.example`, `.factory.example` (all names in it), `10.20.0.0/16`, `10.20.0.5:1883`, `[fd12::5]:8883`.
    """

    def __init__(self, entries: Iterable[str] = ()) -> None:
        """Raises ValueError with a sentence for an entry that is none of these."""
        self._names: list[tuple[str, int]] = []  # port 0: any
        self._networks: list[tuple[Network, int]] = []
        for entry in entries:
            text, port = _with_port(entry)
            if network := _network(text, entry):
                self._networks.append((network, port))
            else:
                self._names.append((text.lower().rstrip("."), port))

    def name(self, host: str, port: int) -> bool:
        """Whether whatever this name stands for is permitted."""
        host = host.lower().rstrip(".")
        return any(
            wanted in (0, port) and (host == name or (name.startswith(".") and host.endswith(name)))
            for name, wanted in self._names
        )

    def address(self, ip: Ip, port: int) -> bool:
        """Whether this address is permitted, or the IPv4 one for which it stands."""
        inner = within(ip)
        return any(
            wanted in (0, port) and (ip in network or (inner is not None and inner in network))
            for network, wanted in self._networks
        )


class Guard:
    """The one door for connections on behalf of users. `enabled` False lets everything pass."""

    def __init__(
        self,
        *,
        enabled: bool = True,
        allowed: Iterable[str] = (),
        resolver: Resolver | None = None,
        within_s: float = RESOLVE_S,
    ) -> None:
        """`allowed` as `Allowed` has it; names are resolved within `within_s` seconds."""
        self._enabled = enabled
        self._allowed = Allowed(allowed)
        self._resolver = resolver or _system
        self._within_s = within_s

    def trusting(self) -> Self:
        """One for what an operator of the platform has chosen: a mail server or proxy may be anywhere."""
        return type(self)(enabled=False, resolver=self._resolver, within_s=self._within_s)

    async def resolve(self, host: str, port: int) -> list[Address]:
        """What `host` (name or address, in any form that the system knows) stands for, all of it permitted.

        Raises Refused where one of the addresses is not: a name that means both sides is a trick. Raises Unreachable where it
        stands for nothing, or nobody says so in time.
        """
        if not 0 < port < 65536:
            raise Refused(f"{port} is not a port; expected 1 to 65535.")
        if not host or not host.isprintable() or any(letter in " /@\\" for letter in host):
            raise Refused(f"{host!r} is not the name of a host.")
        found = await self._ask(host.strip("[]"), port)
        if self._enabled and not self._allowed.name(host, port):
            for ip in found:
                what = special(ip)
                if what and not self._allowed.address(ip, port):
                    raise Refused(
                        f"{host}:{port} is not permitted: its address {ip} is {what}. "
                        "An administrator of the platform can permit it (TB_SSRF_ALLOWED)."
                    )
        return [Address(str(ip), port) for ip in found]

    async def connect(self, host: str, port: int, timeout_s: float) -> socket.socket:
        """A socket (non-blocking) that is connected to a checked address, within that many seconds in all. Raises Refused and
        Unreachable.
        """
        ends = time.monotonic() + timeout_s
        addresses = await self.resolve(host, port)
        why: OSError | None = None
        for left, address in zip(range(len(addresses), 0, -1), addresses, strict=True):
            try:
                # One that does not answer leaves time for those behind it.
                return await _dial(address, max(0.01, (ends - time.monotonic()) / left))
            except OSError as error:
                why = error
        raise Unreachable(f"{host}:{port} cannot be reached: {_said(why)}.") from why

    async def _ask(self, host: str, port: int) -> list[Ip]:
        try:
            async with asyncio.timeout(self._within_s):
                texts = await self._resolver(host, port)
        except TimeoutError:
            raise Unreachable(f"The name {host} was not resolved within {self._within_s:g} s.") from None
        except (OSError, UnicodeError) as error:
            raise Unreachable(f"The name {host} cannot be resolved: {_said(error)}.") from error
        found = list(dict.fromkeys(ipaddress.ip_address(text) for text in texts))
        if not found:
            raise Unreachable(f"The name {host} has no addresses.")
        return found[:MAX_ADDRESSES]


async def _dial(address: Address, timeout_s: float) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.ip else socket.AF_INET
    connection = socket.socket(family, socket.SOCK_STREAM)
    try:
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        async with asyncio.timeout(timeout_s):
            await asyncio.get_running_loop().sock_connect(connection, (address.ip, address.port))
    except TimeoutError:
        connection.close()
        raise TimeoutError(errno.ETIMEDOUT, f"no answer within {timeout_s:.3g} s") from None
    except BaseException:
        connection.close()
        raise
    return connection


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(RESOLVERS, "resolver")


async def _system(host: str, port: int) -> Sequence[str]:
    """By the system's resolver, in threads of its own: one that hangs holds up nobody else's executor."""
    loop = asyncio.get_running_loop()
    found = await loop.run_in_executor(_threads(), lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    return [str(sockaddr[0]) for *_, sockaddr in found]


def _said(error: BaseException | None) -> str:
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).rstrip(".")


def _with_port(entry: str) -> tuple[str, int]:
    text, _, port = entry.rpartition(":")
    bracketed = text.startswith("[") and text.endswith("]")
    if text and port.isdecimal() and (bracketed or ":" not in text):
        if not 0 < int(port) < 65536:
            raise ValueError(f"{entry!r}: {port} is not a port.")
        return text.strip("[]"), int(port)
    return entry.strip("[]"), 0


def _network(text: str, entry: str) -> Network | None:
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        name = text.removeprefix(".")
        if _NAME.fullmatch(name):
            return None
        raise ValueError(f"{entry!r}: expected a name, an address or a network such as 10.20.0.0/16.") from None
