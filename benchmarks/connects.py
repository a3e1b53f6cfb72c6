"""Connections: how many are let in a second with authentication, what an idle one costs, how soon a storm is over.

The devices are raw sockets of this process that connect with their tokens, so the generator shares the machine.
"""

import asyncio
import resource
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import psutil
import uvloop

from thingsboard.kernel.secrets import secret_text
from thingsboard.loadtest import packets
from thingsboard.loadtest.platform import Platform

from .ground import Ground, Row

DEVICES = 5000
AT_ONCE = 500  # that dial at a time when the rate is measured; a storm dials all at once
FORGOTTEN_S = 31.0  # a token is remembered for half a minute
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


def cpu(ground: Ground) -> dict[str, float]:
    """CPU seconds used so far by the mqtt processes and by PostgreSQL."""
    return {"mqtt": used(servers(ground)), "PostgreSQL": used(ground.postgres())}


def used(processes: list[psutil.Process]) -> float:
    """CPU seconds of these processes; one that has ended meanwhile counts no more."""
    total = 0.0
    for process in processes:
        with suppress(psutil.Error):
            times = process.cpu_times()
            total += times.user + times.system
    return total


@dataclass(frozen=True, slots=True)
class Wave:
    """What became of one wave of connects: `seconds` until the last was answered, remarks, the living connections."""

    seconds: float
    note: str
    living: list[Caller]


async def wave(ground: Ground, hellos: list[bytes], at_once: int) -> Wave:
    """Connect all, and say what one cost."""
    before = cpu(ground)
    seconds, failed, living = await call(ground.mqtt_port, hellos, at_once)
    costs = {name: (after - before[name]) / len(hellos) * 1e6 for name, after in cpu(ground).items()}
    note = ", ".join(f"{name} {cost:.0f} us" for name, cost in costs.items())
    return Wave(seconds, note + (f", {failed} attempts repeated" if failed else ""), living)


async def measure(ground: Ground, tokens: list[str]) -> list[Row]:
    """The best of every round's waves, and the memory of the first round, before anything was ever freed."""
    hellos = [packets.connect(token, token) for token in tokens]
    number = len(hellos)
    best: dict[str, Wave] = {}

    async def best_of(name: str, at_once: int = AT_ONCE) -> list[Caller]:
        wave_ = await wave(ground, hellos, at_once)
        if name not in best or wave_.seconds < best[name].seconds:
            best[name] = wave_
        return wave_.living

    size = 0.0
    for _ in range(ground.rounds):
        before = memory(ground)
        living = await best_of("connects, tokens unknown")
        await asyncio.sleep(1)
        size = size or (memory(ground) - before) / number / 1000
        await leave(living, politely=True)
        living = await best_of("connects, tokens known")
        await leave(await best_of("takeovers"), politely=False)
        await leave(await best_of("storm", number), politely=True)
        await asyncio.sleep(FORGOTTEN_S)
    storm = best.pop("storm")
    rows = [
        Row(name, number / each.seconds, "/s", number / each.seconds / TARGET_PER_S, each.note)
        for name, each in best.items()
    ]
    rows.append(
        Row(f"storm: {number:,} at once are back", storm.seconds, "s", storm.seconds / TARGET_STORM_S, storm.note)
    )
    rows.append(Row("an idle connection, no subscriptions", size, "KB", size / TARGET_KB, "growth of RSS"))
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
    """Best of the rounds; ratios are to what was promised."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DEVICES + 1000
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(
            resource.RLIMIT_NOFILE, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard)
        )
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        yield from runner.run(everything(ground))
