"""A device on a raw socket: it can say what no library would."""

import asyncio
from typing import ClassVar, Self

from thingsboard.transports.mqtt import packets

TELEMETRY = "v1/devices/me/telemetry"
ATTRIBUTES = "v1/devices/me/attributes"
PATIENCE = 5.0


def connect(
    user: str | None = None,
    client_id: str = "device",
    *,
    keep_alive: int = 60,
    flags: int = 0x02,
    level: int = 4,
    password: str | None = None,
    will: tuple[str, bytes] | None = None,
) -> bytes:
    """A CONNECT; `flags` are those beside user name, password and will."""
    name = "MQIsdp" if level == 3 else "MQTT"
    tail = packets.string(client_id)
    if will is not None:
        flags |= 0x04
        tail += packets.string(will[0]) + len(will[1]).to_bytes(2, "big") + will[1]
    if user is not None:
        flags |= 0x80
        tail += packets.string(user)
    if password is not None:
        flags |= 0x40
        tail += packets.string(password)
    return packets.packet(0x10, packets.string(name) + bytes((level, flags)) + keep_alive.to_bytes(2, "big") + tail)


def publish(
    payload: bytes, packet_id: int = 0, *, topic: str = TELEMETRY, qos: int | None = None, dup: bool = False
) -> bytes:
    """A PUBLISH: QoS 1 when a packet id is given, else 0."""
    qos = (1 if packet_id else 0) if qos is None else qos
    middle = packet_id.to_bytes(2, "big") if qos else b""
    return packets.packet(0x30 | qos << 1 | dup << 3, packets.string(topic) + middle + payload)


def subscribe(*filters: str, packet_id: int = 1, qos: int = 1) -> bytes:
    """A SUBSCRIBE."""
    return packets.packet(
        0x82, packet_id.to_bytes(2, "big") + b"".join(packets.string(each) + bytes((qos,)) for each in filters)
    )


def unsubscribe(*filters: str, packet_id: int = 1) -> bytes:
    """An UNSUBSCRIBE."""
    return packets.packet(0xA2, packet_id.to_bytes(2, "big") + b"".join(map(packets.string, filters)))


def puback(packet_id: int) -> bytes:
    """A PUBACK."""
    return b"\x40\x02" + packet_id.to_bytes(2, "big")


class Device:
    """One connection."""

    living: ClassVar[list["Device"]] = []

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.living.append(self)

    @classmethod
    async def dial(cls, port: int) -> Self:
        """Open the TCP connection."""
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    @classmethod
    async def enter(cls, port: int, token: str, **more: int) -> Self:
        """Open it, connect with the token and read the CONNACK."""
        device = await cls.dial(port)
        device.send(connect(token, **more))
        assert await device.receive() == packets.connack(packets.ACCEPTED)
        return device

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.writer.write(data)

    async def receive(self, patience: float = PATIENCE) -> bytes:
        """The next packet, b"" at the end of the connection."""
        async with asyncio.timeout(patience):
            try:
                head = await self.reader.readexactly(1)
                length = shift = 0
                digits = b""
                while True:
                    digits += await self.reader.readexactly(1)
                    length |= (digits[-1] & 127) << shift
                    shift += 7
                    if digits[-1] < 128:
                        return head + digits + await self.reader.readexactly(length)
            except (asyncio.IncompleteReadError, ConnectionError):
                return b""

    async def closed(self, patience: float = PATIENCE) -> bool:
        """Whether the server closes without a further word."""
        return await self.receive(patience) == b""

    async def silent(self, seconds: float = 0.1) -> bool:
        """Whether nothing comes for a while."""
        try:
            return not await self.receive(seconds)
        except TimeoutError:
            return True

    async def leave(self) -> None:
        """Close."""
        if self in self.living:
            self.living.remove(self)
        self.writer.close()
        try:
            await self.writer.wait_closed()
        except ConnectionError:
            pass
