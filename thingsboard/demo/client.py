"""The smallest MQTT 3.1.1 client that can publish with QoS 1 and wait for the acknowledgement."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from django.conf import settings

TIMEOUT = 10.0  # seconds for every answer
KEEP_ALIVE = 60  # seconds


class Refused(Exception):
    """The broker did not accept the connection or broke the protocol."""


class Publisher:
    """An open connection; one message at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._packet_id = 0

    async def publish(self, topic: str, payload: bytes) -> None:
        """Send with QoS 1; returns when it is acknowledged. Raises OSError, EOFError, TimeoutError or Refused."""
        self._packet_id = self._packet_id % 65535 + 1
        identifier = self._packet_id.to_bytes(2, "big")
        self._writer.write(packet(0x32, text(topic) + identifier + payload))
        async with asyncio.timeout(TIMEOUT):
            await self._writer.drain()
            if await self._reader.readexactly(4) != b"\x40\x02" + identifier:
                raise Refused("expected PUBACK")


@asynccontextmanager
async def connected(host: str, port: int, token: str) -> AsyncIterator[Publisher]:
    """A connection of the device with this access token. Raises OSError, EOFError, TimeoutError or Refused."""
    async with asyncio.timeout(TIMEOUT):
        reader, writer = await asyncio.open_connection(host, port)
    try:
        # Protocol MQTT level 4; flags: user name, clean session; the client id is the server's to choose.
        if settings.TB_MQTT_PROXY_PROTOCOL:
            writer.write(b"PROXY UNKNOWN\r\n")  # the listener expects a proxy; this one speaks for nobody
        writer.write(packet(0x10, text("MQTT") + b"\x04\x82" + KEEP_ALIVE.to_bytes(2, "big") + text("") + text(token)))
        async with asyncio.timeout(TIMEOUT):
            answer = await reader.readexactly(4)
        if answer[:2] != b"\x20\x02" or answer[3] != 0:
            raise Refused(f"CONNACK with return code {answer[3]}")
        yield Publisher(reader, writer)
        writer.write(packet(0xE0, b""))
    finally:
        writer.close()


def packet(head: int, body: bytes) -> bytes:
    """One control packet: first byte, length (seven bits a byte), body."""
    length, left = bytearray(), len(body)
    while True:
        left, digit = left >> 7, left & 0x7F
        length.append(digit | 0x80 if left else digit)
        if not left:
            return bytes([head]) + bytes(length) + body


def text(value: str) -> bytes:
    """A string with its length in two bytes before it."""
    encoded = value.encode()
    return len(encoded).to_bytes(2, "big") + encoded
