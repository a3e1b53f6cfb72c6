"""Connections: how many are let in a second with authentication, what an idle one costs, how soon a storm is over.

The devices are raw sockets of this process that connect with their tokens, so the generator shares the machine.
"""

import asyncio
import resource
import time
from collections.abc import Iterator

import psutil
import uvloop

from thingsboard.kernel.secrets import secret_text
from thingsboard.loadtest import packets
from thingsboard.loadtest.platform import Platform

from .ground import Ground, Row

DEVICES = 5000
AT_ONCE = 500  # that dial at a time when the rate is measured; a storm dials all at once
TARGET_PER_S = 1500.0
TARGET_STORM_S = 30.0
TARGET_KB = 40.0
PATIENCE_S = 60.0
ACCEPTED = b"\x20\x02\x00\x00"


class Caller(asyncio.Protocol):
    """One device: says CONNECT, hears CONNACK."""

    __slots__ = ("answer", "hello", "transport")

    def __init__(self, hello: bytes, answer: "asyncio.Future[bool]") -> None:
        self.hello, self.answer = hello, answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Say CONNECT."""
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]
        self.transport.write(self.hello)

    def data_received(self, data: bytes) -> None:
        """The CONNACK; nothing else is expected."""
        if not self.answer.done():
            self.answer.set_result(data == ACCEPTED)

    def connection_lost(self, error: Exception | None) -> None:
        """The other side closed."""
        if not self.answer.done():
            self.answer.set_result(False)


async def call(port: int, hellos: list[bytes], at_once: int) -> tuple[float, int, list[Caller]]:
    """Connect all; seconds until the last was answered, attempts that failed and were made again, the connections."""
    loop, gate = asyncio.get_running_loop(), asyncio.Semaphore(at_once)
    failed = 0
    living: list[Caller] = []

    async def one(hello: bytes) -> None:
        nonlocal failed
        pause = 0.1
        while True:
            async with gate:
                caller = Caller(hello, loop.create_future())
                try:
                    async with asyncio.timeout(PATIENCE_S):
                        await loop.create_connection(lambda made=caller: made, "127.0.0.1", port)  # type: ignore[misc]
                        if await caller.answer:
                            living.append(caller)
                            return
                except OSError:
                    pass
            failed += 1
            await asyncio.sleep(pause)
            pause = min(2.0, pause * 2)

    began = time.perf_counter()
    await asyncio.gather(*(one(hello) for hello in hellos))
    return time.perf_counter() - began, failed, living


async def leave(callers: list[Caller], *, politely: bool) -> None:
    """Disconnect, or break off."""
    for caller in callers:
        if politely:
            caller.transport.write(packets.DISCONNECT)
            caller.transport.close()
        else:
            caller.transport.abort()
    await asyncio.sleep(2)  # what is written late is part of the next measurement otherwise


def servers(ground: Ground) -> list[psutil.Process]:
    """The mqtt processes."""
    return [process for process in ground.tree() if "runmqtt" in process.cmdline()]


def memory(ground: Ground) -> int:
    """Bytes resident in all mqtt processes."""
    return sum(process.memory_info().rss for process in servers(ground))


async def measure(ground: Ground, tokens: list[str]) -> list[Row]:
    """Cold (every token is looked up), again (tokens are remembered), then a storm of all at once."""
    hellos = [packets.connect(token, token) for token in tokens]
    number, rows = len(hellos), []
    before = memory(ground)
    seconds, failed, living = await call(ground.mqtt_port, hellos, AT_ONCE)
    note = f"{failed} attempts repeated"
    rows.append(Row("connects, tokens unknown", number / seconds, "/s", number / seconds / TARGET_PER_S, note))
    await asyncio.sleep(1)
    size = (memory(ground) - before) / number / 1000
    rows.append(Row("an idle connection, subscriptions none", size, "KB", size / TARGET_KB, "growth of RSS"))
    await leave(living, politely=True)
    seconds, failed, living = await call(ground.mqtt_port, hellos, AT_ONCE)
    note = f"{failed} attempts repeated"
    rows.append(Row("connects, tokens known", number / seconds, "/s", number / seconds / TARGET_PER_S, note))
    seconds, failed, newer = await call(ground.mqtt_port, hellos, AT_ONCE)
    rows.append(
        Row("takeovers", number / seconds, "/s", number / seconds / TARGET_PER_S, f"{failed} attempts repeated")
    )
    await leave(newer, politely=False)
    seconds, failed, living = await call(ground.mqtt_port, hellos, number)
    note = f"{failed} attempts repeated"
    rows.append(Row(f"storm: {number:,} at once are back", seconds, "s", seconds / TARGET_STORM_S, note))
    await leave(living, politely=True)
    return rows


async def devices(ground: Ground) -> list[str]:
    """The access tokens of the load test's devices, which are made when they are missing."""
    url, key = f"http://127.0.0.1:{ground.http_port}", secret_text(ground.data_dir, "loadtest.key")
    async with Platform(url, "tenant@thingsboard.org", "tenant", key, PATIENCE_S) as platform:
        return [each.token for each in await platform.devices(DEVICES, lambda _: None)]


async def everything(ground: Ground) -> list[Row]:
    """Devices, then measurements."""
    return await measure(ground, await devices(ground))


def run(ground: Ground) -> Iterator[Row]:
    """One round of everything; ratios are to what was promised."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DEVICES + 1000
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(
            resource.RLIMIT_NOFILE, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard)
        )
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        yield from runner.run(everything(ground))
