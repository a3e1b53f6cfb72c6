"""A way to a server that can be cut."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Relay:
    """Listens on `port` and passes on what it hears to `target`, until it is `cut`."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._writers: list[asyncio.StreamWriter] = []
        self.port = 0

    def cut(self) -> None:
        """Ends all connections of now without a word."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        upstream, out = await asyncio.open_connection("127.0.0.1", self._target)
        self._writers += [writer, out]
        await asyncio.gather(_pump(reader, out), _pump(upstream, writer), return_exceptions=True)


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while data := await source.read(65536):
        sink.write(data)
        await sink.drain()
    sink.close()


@asynccontextmanager
async def relaying(target: int) -> AsyncIterator[Relay]:
    """It listens."""
    relay = Relay(target)
    server = await asyncio.start_server(relay.serve, "127.0.0.1", 0)
    relay.port = server.sockets[0].getsockname()[1]
    try:
        yield relay
    finally:
        server.close()
        relay.cut()
        await asyncio.sleep(0)
