"""A node that calls a real HTTP server, the server, and an effects worker to run it: nothing here is a mock of our own code."""

import asyncio
import contextlib
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

from rules.effects.pace import Pace
from rules.effects.places import Limits
from rules.effects.worker import EffectsWorker
from rules.node import Category, Config, Emit, Msg, Outside, OutsideNode, TryAgain
from tests.rules.engine.world import drain, waiting
from tests.waiting import until
from thingsboard.kernel.models import Effect

QUICK = Pace(lease=5.0, sweep=0.05, retry=0.01, attempts=3, stop=0.3, idle_client=60.0, clients=40)
ROOMY = Limits(2000, 1000, 500, 64 << 20)


class CallConfig(Config, frozen=True):
    """Where the server listens, and what is asked of it."""

    port: int = 0
    path: str = "/"
    host: str = ""  # how the destination is called


class Call(OutsideNode):
    """Calls a server and leaves by what it answers."""

    TYPE = "org.example.Call"
    NAME = "call"
    CATEGORY = Category.EXTERNAL
    CONFIG = CallConfig
    CUSTOM_RELATIONS = True
    LONGEST_S = 20.0

    def destination(self, msg: Msg) -> str:
        """Its host and port."""
        if not self.config.port:
            raise ValueError("No port is configured.")
        return f"http://{self.config.host or '127.0.0.1'}:{self.config.port}"

    def preview(self, msg: Msg) -> dict[str, Any]:
        """The request."""
        return {"path": self.config.path}

    async def perform(self, outside: Outside, msg: Msg) -> Emit:
        """The answer's body becomes a part of the metadata."""
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.config.port)
        except OSError as error:
            raise TryAgain(f"Nobody answers: {type(error).__name__}.") from None
        try:
            writer.write(
                b"GET %s HTTP/1.1\r\nHost: x\r\nX-Key: %s\r\nX-Msg: %s\r\n\r\n"
                % (self.config.path.encode(), str(outside.key).encode(), msg.data.raw)
            )
            answer = await reader.read()
        finally:
            writer.close()
        if not answer:
            raise TryAgain("The connection was closed.")
        status, _, body = answer.partition(b"\r\n\r\n")
        if b" 200 " not in status.splitlines()[0] + b" ":
            raise ValueError(f"The server said {status.split()[1].decode()}.")
        return Emit("Success", msg.with_metadata(answer=body.decode(), attempt=str(outside.attempt)))


class Server:
    """Counts calls and how many are there at once. Paths: / answers at once; /gate waits until `open` is set; /busy closes
    without an answer; /bad answers 500.
    """

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []  # path and body
        self.keys: Counter[str] = Counter()
        self.now = self.most = self._open = 0
        self.open = threading.Event()
        self.port = 0
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self._thread.start()
        assert self._ready.wait(10)

    async def _run(self) -> None:
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=2000)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._end.wait()
        server.close()
        while self._open:
            await asyncio.sleep(0.01)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        try:
            await self._answer(reader, writer)
            writer.close()
            await writer.wait_closed()
        except (ConnectionError, asyncio.IncompleteReadError):
            writer.transport.abort()
        finally:
            self._open -= 1

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        path = head.split()[1]
        headers = dict(line.split(": ", 1) for line in head.splitlines()[1:] if ": " in line)
        self.calls.append((path, headers["X-Msg"]))
        self.keys[headers["X-Key"]] += 1
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            while path == "/gate" and not self.open.is_set():
                await asyncio.sleep(0.01)
            if path != "/busy":
                writer.write(b"HTTP/1.1 %s\r\n\r\nhello" % (b"500 Oh" if path == "/bad" else b"200 OK"))
                await writer.drain()
        finally:
            self.now -= 1

    def close(self) -> None:
        """Listen no more."""
        self.open.set()
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(10)


class Running:
    """An effects worker in a thread, as in its process."""

    def __init__(self, pace: Pace = QUICK, limits: Limits = ROOMY) -> None:
        self.worker: EffectsWorker
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run(limits, pace)), daemon=True)
        self._thread.start()
        assert self._ready.wait(10)

    async def _run(self, limits: Limits, pace: Pace) -> None:
        self.worker = EffectsWorker(limits, pace)
        self._loop = asyncio.get_running_loop()
        self._ready.set()
        await self.worker.run()

    def wake(self) -> None:
        self._loop.call_soon_threadsafe(self.worker.wake)

    def ask_to_stop(self) -> None:
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self.worker.stop)

    def stop(self) -> None:
        self.ask_to_stop()
        self._thread.join(20)
        assert not self._thread.is_alive()


@contextlib.contextmanager
def running(pace: Pace = QUICK, limits: Limits = ROOMY) -> Iterator[Running]:
    """An effects worker for a while."""
    worker = Running(pace, limits)
    try:
        yield worker
    finally:
        worker.stop()


def settle(seconds: float = 20.0) -> None:
    """Until nothing waits, neither outside nor in the queue."""
    until(_settled, seconds)


def _settled() -> bool:
    drain()
    return not Effect.objects.exists() and not waiting()
