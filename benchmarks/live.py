"""Live values: how long from a device's publish to the screen, and what a thousand open sockets cost.

The devices are those of the load test; the sockets are this process', so the clients share the machine. Latency is from the
stamp that the publisher puts into the message to its arrival here, on the same clock.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator

import httpx
import psutil
import uvloop
from websockets.asyncio.client import ClientConnection, connect

from thingsboard.kernel.secrets import secret_text
from thingsboard.loadtest import packets
from thingsboard.loadtest.platform import Platform

from .connects import AT_ONCE, call
from .ground import ROOT, Ground, Row

SOCKETS = 1000
RATE = 1000  # messages a second
TARGET_MS = 300.0
TARGET_CORE = 30.0
WARM_UP_S = 3.0
TOPIC = packets.text_field(packets.TOPIC)


async def tokens(ground: Ground) -> tuple[str, list[tuple[str, str]]]:
    """A tenant administrator's JWT, and access token and id of each device of the load test."""
    url, key = f"http://127.0.0.1:{ground.http_port}", secret_text(ground.data_dir, "loadtest.key")
    async with Platform(url, "tenant@thingsboard.org", "tenant", key, 60) as platform:
        devices = [(each.token, each.id) for each in await platform.devices(SOCKETS, lambda _: None)]
    async with httpx.AsyncClient(base_url=url) as client:
        login = {"username": "tenant@thingsboard.org", "password": "tenant"}
        answer = await client.post("/api/auth/login", json=login)
        return answer.json()["token"], devices


class Watchers:
    """Open sockets, each watching one device; they note how old every value is when it arrives (ms)."""

    def __init__(self) -> None:
        self.ages: list[float] = []
        self.sockets: list[ClientConnection] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self, port: int, jwt: str, device: str) -> None:
        """One more."""
        socket = await connect(f"ws://127.0.0.1:{port}/api/ws", compression=None, ping_interval=None)
        command = {
            "cmdId": 1,
            "type": "TIMESERIES",
            "scope": "LATEST_TELEMETRY",
            "keys": "sent",
            "entityType": "DEVICE",
        }
        said = {"authCmd": {"cmdId": 0, "token": jwt}, "cmds": [{**command, "entityId": device}]}
        await socket.send(json.dumps(said))
        await socket.recv()
        self.sockets.append(socket)
        self._tasks.append(asyncio.create_task(self._read(socket)))

    async def close(self) -> None:
        """All of them."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*(socket.close() for socket in self.sockets))

    async def _read(self, socket: ClientConnection) -> None:
        async for frame in socket:
            now = time.time() * 1000
            for _, value in json.loads(frame)["data"].get("sent", ()):
                self.ages.append(now - float(value))


async def publish(port: int, devices: list[str], seconds: float, rate: float) -> int:
    """Every device in turn, at a steady rate over all of them; says when it begins, and how many messages it sent."""
    loop = asyncio.get_running_loop()
    _, _, callers = await call(port, [packets.connect(token, token) for token in devices], AT_ONCE)
    print("ready", flush=True)
    sent, began = 0, loop.time()
    while (passed := loop.time() - began) < seconds:
        while sent < passed * rate:
            body = b'{"sent":%.1f}' % (time.time() * 1000)
            callers[sent % len(callers)].transport.write(packets.with_length(0x30, TOPIC + body))
            sent += 1
        await asyncio.sleep(0.005)
    for caller in callers:
        caller.transport.write(packets.DISCONNECT)
        caller.transport.close()
    return sent


def web(ground: Ground) -> psutil.Process:
    """The web process."""
    return next(each for each in ground.tree() if "runweb" in each.cmdline())


def used(process: psutil.Process) -> float:
    """CPU seconds that it used so far."""
    times = process.cpu_times()
    return float(times.user + times.system)


async def watch(ground: Ground, jwt: str, watched: list[str], devices: list[str]) -> tuple[list[float], float, int]:
    """Watch these while all devices publish RATE messages a second: sorted ages (ms), percent of a core, messages."""
    watchers = Watchers()
    for device in watched:
        await watchers.open(ground.http_port, jwt, device)
    publisher = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.live", str(ground.mqtt_port), str(ground.seconds + 2 * WARM_UP_S), str(RATE),
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert publisher.stdin is not None and publisher.stdout is not None
    publisher.stdin.write("\n".join(devices).encode())
    publisher.stdin.close()
    await publisher.stdout.readline()
    await asyncio.sleep(WARM_UP_S)
    watchers.ages.clear()
    process = web(ground)
    cpu, began = used(process), time.perf_counter()
    await asyncio.sleep(ground.seconds)
    share = (used(process) - cpu) / (time.perf_counter() - began) * 100
    ages = list(watchers.ages)
    out = await publisher.stdout.read()
    await publisher.wait()
    await watchers.close()
    return sorted(ages), share, int(out or 0)


async def everything(ground: Ground) -> list[Row]:
    """One screen while a thousand messages a second pass, then a thousand screens."""
    jwt, devices = await tokens(ground)
    every = [token for token, _ in devices]
    rows = []
    for count, what in ((1, "one screen"), (SOCKETS, f"{SOCKETS:,} screens")):
        ages, share, sent = await watch(ground, jwt, [device for _, device in devices[:count]], every)
        note = f"{sent:,} messages, {len(ages):,} frames"
        ages = ages or [float("nan")]
        for name, place in (("p50", 0.5), ("p99", 0.99)):
            age = ages[min(len(ages) - 1, int(len(ages) * place))]
            rows.append(
                Row(f"publish to screen, {RATE:,} messages/s, {what}, {name}", age, "ms", age / TARGET_MS, note)
            )
        ratio = share / TARGET_CORE if count == SOCKETS else None
        rows.append(Row(f"the web process, {what} with an update a second", share, "% of a core", ratio))
    return rows


def run(ground: Ground) -> Iterator[Row]:
    """One round; ratios are to what was promised."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        yield from runner.run(everything(ground))


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as publisher:
        port, seconds, rate = sys.argv[1:]
        print(publisher.run(publish(int(port), sys.stdin.read().split(), float(seconds), float(rate))))
