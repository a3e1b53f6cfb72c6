"""The PROXY protocol, versions 1 and 2 (haproxy's doc/proxy-protocol.txt): who is behind the proxy that connects to us.

The header comes first of all, before TLS. Once it is read, this protocol steps aside: nothing of it remains on the way of
the bytes.
"""

import asyncio
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import cast

from thingsboard.transports.mqtt.flow import Flow

Address = tuple[str, int]
Network = IPv4Network | IPv6Network

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
LONGEST_1 = 107  # bytes, the CRLF included (section 2.1)
LONGEST_2 = 4096  # bytes; section 2.2 allows 65,551, but addresses take 36 and the usual extras some hundred

_LOCAL, _PROXY = 0x20, 0x21
_TCP4, _TCP6 = 0x11, 0x21


class BadHeader(Exception):
    """It is no header of the PROXY protocol, or a longer one than we take."""


def read_header(data: bytes) -> tuple[int, Address | None]:
    """The length of the header that `data` begins with, and the client's address; 0 while it is incomplete.

    The address is None when the proxy speaks for itself (a health check), or does not know it. Raises BadHeader.
    """
    if data[:1] == b"P":
        return _version_1(data)
    if data[:12] != SIGNATURE[: len(data)]:
        raise BadHeader
    return _version_2(data)


def _version_1(data: bytes) -> tuple[int, Address | None]:
    end = data.find(b"\r\n", 0, LONGEST_1) + 2
    if end < 2:
        if len(data) >= LONGEST_1 or data[:6] != b"PROXY "[: len(data)]:
            raise BadHeader
        return 0, None
    words = data[: end - 2].split(b" ")
    if words[:2] == [b"PROXY", b"UNKNOWN"]:
        return end, None
    kind = {b"TCP4": IPv4Address, b"TCP6": IPv6Address}.get(words[1]) if len(words) == 6 else None
    if words[0] != b"PROXY" or kind is None:
        raise BadHeader
    try:
        source, _ = (kind(word.decode("ascii")) for word in words[2:4])
    except ValueError:
        raise BadHeader from None
    port, _ = (_port(word) for word in words[4:])
    return end, (str(source), port)


def _port(word: bytes) -> int:
    if not word.isdigit() or (port := int(word)) > 65535 or (word[:1] == b"0" and len(word) > 1):
        raise BadHeader
    return port


def _version_2(data: bytes) -> tuple[int, Address | None]:
    if len(data) < 16:
        return 0, None
    command, family, end = data[12], data[13], 16 + int.from_bytes(data[14:16], "big")
    if command not in (_LOCAL, _PROXY) or end > LONGEST_2:
        raise BadHeader
    if len(data) < end:
        return 0, None
    size = {_TCP4: 4, _TCP6: 16}.get(family) if command == _PROXY else None
    if size is None:
        return end, None
    if end < 16 + 2 * size + 4:
        raise BadHeader
    port = 16 + 2 * size
    return end, (str(ip_address(data[16 : 16 + size])), int.from_bytes(data[port : port + 2], "big"))


class ProxyHeader(asyncio.Protocol):
    """Reads the header of one connection, then hands the transport to the protocol above."""

    __slots__ = ("_above", "_data", "_flow", "_transport", "_trusted")

    def __init__(self, flow: Flow, above: asyncio.Protocol, trusted: Sequence[Network]) -> None:
        self._flow, self._above, self._trusted = flow, above, trusted
        self._data = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Let in whom we believe; nobody else could be told from an impostor."""
        self._transport = cast(asyncio.Transport, transport)
        self._above.connection_made(transport)
        if not _is_trusted(self._flow.address[0], self._trusted):
            self._flow.abort("proxy_untrusted")

    def data_received(self, data: bytes) -> None:
        """Bytes of any cut."""
        self._data += data  # at most LONGEST_2 bytes and one read
        try:
            end, address = read_header(self._data)
        except BadHeader:
            self._flow.abort("proxy_header")
            return
        if not end:
            return
        if address is not None:
            self._flow.address = address
        rest, self._data = self._data[end:], b""
        self._transport.set_protocol(self._above)
        if rest:
            self._above.data_received(rest)

    def connection_lost(self, exc: Exception | None) -> None:
        """It ended before its header did."""
        self._above.connection_lost(exc)


def _is_trusted(host: str, trusted: Sequence[Network]) -> bool:
    try:
        address = ip_address(host)
    except ValueError:
        return False
    if isinstance(address, IPv6Address):
        address = address.ipv4_mapped or address
    return any(address in network for network in trusted)
