"""What stands between a socket and a connection: TLS, WebSocket."""

import asyncio
from typing import Any, cast

from thingsboard.transports.mqtt.flow import Flow


class Layer(asyncio.Protocol, asyncio.Transport):
    """A protocol for the transport below, a transport for the protocol above. Layers may stand on each other.

    `flow` is the connection at the top. It is told of the socket at once, before any handshake: so it has its place among
    the connections from the beginning, and its connect timeout spans everything up to the CONNECT.
    """

    __slots__ = ("above", "below", "flow")

    below: asyncio.Transport

    def __init__(self, flow: Flow, above: asyncio.Protocol) -> None:
        super().__init__()
        self.flow = flow
        self.above = above

    # Towards the connection.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is there."""
        self.below = cast(asyncio.Transport, transport)
        self.above.connection_made(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is gone. Lets go of what is above, which refers to us: the collector comes rarely."""
        above, self.above = self.above, asyncio.Protocol()
        above.connection_lost(exc)

    def pause_writing(self) -> None:
        """The socket's write buffer is over its limit."""
        self.above.pause_writing()

    def resume_writing(self) -> None:
        """It is below again."""
        self.above.resume_writing()

    # Towards the socket.

    def close(self) -> None:
        """Close after what was written has left."""
        self.below.close()

    def abort(self) -> None:
        """Close at once."""
        self.below.abort()

    def is_closing(self) -> bool:
        """Whether it is closed or about to be."""
        return self.below.is_closing()

    def pause_reading(self) -> None:
        """Read no further; what the socket has handed over already still comes."""
        self.below.pause_reading()

    def resume_reading(self) -> None:
        """Read again."""
        self.below.resume_reading()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """The limits count bytes as they leave, so what the layers add to them is included."""
        self.below.set_write_buffer_limits(high, low)

    def get_write_buffer_size(self) -> int:
        """Bytes that wait for the other side to read."""
        return self.below.get_write_buffer_size()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """As the transport below."""
        return self.below.get_extra_info(name, default)
