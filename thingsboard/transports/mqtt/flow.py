"""The life of a TCP connection: its state, when it is not read, how it is closed."""

import asyncio
from typing import Any, Protocol, cast

from thingsboard.transports.mqtt import packets
from thingsboard.transports.mqtt.limits import Counters, Limits

# States.
NEW, CONNECTING, READY, CLOSED = range(4)

# Why a connection is not read; any number of them at a time.
FULL, UNACKED, AHEAD, CONTROL, ADMISSION, STOPPING, INHERITED, ENDING, WITHHELD = (1 << bit for bit in range(9))


class Hub(Protocol):
    """What a connection needs of its server."""

    limits: Limits
    counters: Counters
    clock: float  # seconds, monotonic, renewed by every sweep
    loop: asyncio.AbstractEventLoop

    def arrived(self, connection: Any) -> bool:
        """Whether there is a place for it."""
        ...

    def left(self, connection: Any) -> None:
        """It is gone."""
        ...

    def admit(self, connection: Any, connect: packets.Connect) -> None:
        """It sent a CONNECT."""
        ...

    def account(self, connection: Any, messages: int, size: int) -> None:
        """It queued messages of so many payload bytes."""
        ...

    def drained(self, connection: Any) -> None:
        """It is closed, and nothing of it is on its way any more."""
        ...

    def refused(self, connection: Any, reason: str, message: str = "") -> None:
        """It is closed, or something of it refused, for this reason: count it, and note it for those who ask."""
        ...


class Flow(asyncio.Protocol):
    """Reads and writes, within limits."""

    __slots__ = ("_address", "heard", "held", "hub", "patience", "state", "transport")

    transport: asyncio.Transport

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.state = NEW
        self.held = 0  # why it is not read
        self.heard = hub.clock  # when it last sent something, in seconds of the hub's clock
        self.patience = hub.limits.connect_timeout  # how long it may be silent, in seconds
        self._address: tuple[str, int] | None = None

    @property
    def address(self) -> tuple[str, int]:
        """The device's IP address and port: the socket's, or what a trusted proxy said (proxy.py); ("", 0) if unknown."""
        if self._address is None:
            name = self.transport.get_extra_info("peername")
            self._address = (name[0], name[1]) if name and isinstance(name, tuple) else ("", 0)
        return self._address

    @address.setter
    def address(self, address: tuple[str, int]) -> None:
        self._address = address

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take it in, or drop it when there are too many."""
        self.transport = cast(asyncio.Transport, transport)
        self.transport.set_write_buffer_limits(high=self.hub.limits.write_buffer)
        if not self.hub.arrived(self):
            self.close("too_many_connections")

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it; what it sent is still committed."""
        self.state = CLOSED
        self.ended()
        self.hub.left(self)

    def ended(self) -> None:
        """Nothing more is taken from the other side. May be called twice."""

    def pause_writing(self) -> None:
        """The write buffer is over its limit: the other side does not read, and nobody waits for it."""
        self.abort("slow_consumer")

    def abort(self, reason: str) -> None:
        """Close at once; what is not sent yet is thrown away."""
        if self.state != CLOSED:
            self.hub.refused(self, reason)
        self.state = CLOSED
        self.transport.abort()

    def close(self, reason: str = "") -> None:
        """Close after what was written has left, within the connect timeout; count the reason."""
        if reason and self.state != CLOSED:
            self.hub.refused(self, reason)
        if self.state != CLOSED:
            self.state = CLOSED
            # Patience from now on, while `heard` still says when it was heard.
            self.patience = self.hub.limits.connect_timeout + self.hub.clock - self.heard
            self.ended()
        self.transport.close()

    def write(self, data: bytes) -> None:
        """Send, unless it is closed."""
        if self.state != CLOSED:
            self.transport.write(data)

    def hold(self, why: int) -> None:
        """Read no further until every reason to hold is gone."""
        if self.state == CLOSED:
            return
        if not self.held:
            self.transport.pause_reading()
        self.held |= why

    def release(self, why: int) -> None:
        """Take back a reason to hold."""
        if self.held & why:
            self.held &= ~why
            if not self.held and self.state != CLOSED:
                self.heard = self.hub.clock
                self.resumed()
                if not self.held and self.state != CLOSED:
                    self.transport.resume_reading()

    def resumed(self) -> None:
        """Nothing holds it any more: take what was read before. May hold it again."""

    def silent_too_long(self, now: float) -> bool:
        """Whether it was silent beyond its patience. Who is not being read is not silent, except before it is admitted."""
        return now - self.heard > self.patience and (not self.held or self.state != READY)
