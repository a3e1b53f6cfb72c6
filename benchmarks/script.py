"""Scripts of rule nodes: what a message costs at a node alone, and the whole way through type switch, script filter and save.

CPU is that of this process and of the jailed one. The reference is the same test in Python, which may only be what is built in.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import httpx
import orjson
import psutil

from rules.node import Body, Msg
from rules.node.scripts import Answer, Script, arguments
from rules.nodes.filter.script import ScriptFilter
from rules.nodes.transformation.script import ScriptTransformation
from thingsboard.embedded.addresses import database_url
from thingsboard.kernel.ids import EntityId, EntityType
from thingsboard.kernel.script import Jail, Limits

from .ground import CpuWatch, Ground, Row
from .rules import QueueWatch, quantile

MESSAGES = 20_000
RATE = 15_000
BODY = b'{"temperature":22.5,"humidity":61,"battery":87,"online":true}'
METADATA = {"deviceName": "Thermostat T1", "deviceType": "thermostat", "ts": "1700000000000"}
TEST = "return msg.temperature > 20 && metadata.deviceType == 'thermostat';"
CHANGE = "msg.fahrenheit = msg.temperature * 9 / 5 + 32;\nreturn {msg: msg, metadata: metadata, msgType: msgType};"
FILTER = "org.thingsboard.rule.engine.filter.TbJsFilterNode"


class _Scripts:
    """The part of a context that scripts need."""

    def __init__(self, jail: Jail) -> None:
        self._jail = jail

    def evaluate(self, script: Script, messages: Sequence[Msg]) -> Sequence[Answer]:
        return self._jail.call(script.program, [arguments(msg) for msg in messages])


def _messages(count: int) -> list[Msg]:
    device = EntityId.from_json({"entityType": EntityType.DEVICE.value, "id": "5f0a1c00-0000-1111-0000-000000000001"})
    return [Msg(bytes(16), 0, "POST_TELEMETRY_REQUEST", device, None, METADATA, Body(BODY)) for _ in range(count)]


def _in_python(messages: Sequence[Msg]) -> None:
    for msg in messages:
        _ = orjson.loads(msg.data.raw)["temperature"] > 20 and msg.metadata["deviceType"] == "thermostat"


def _cost(jail: Jail, rounds: int, size: int, run: Callable[[Sequence[Msg]], Any]) -> float:
    """Microseconds of CPU of a message, the best of some rounds."""
    best = float("inf")
    run(_messages(size))
    processes = [psutil.Process(), *([psutil.Process(jail.pid)] if jail.pid else [])]
    for _ in range(rounds):
        batches = [_messages(size) for _ in range(max(1, min(MESSAGES, 200 * size) // size))]
        before = sum(sum(process.cpu_times()[:2]) for process in processes)
        for batch in batches:
            run(batch)
        after = sum(sum(process.cpu_times()[:2]) for process in processes)
        best = min(best, 1e6 * (after - before) / (len(batches) * size))
    return best


def nodes(rounds: int) -> Iterator[Row]:
    """A message at one node."""
    jail = Jail(Limits())
    ctx: Any = _Scripts(jail)
    reference = _cost(jail, rounds, 500, _in_python)
    yield Row("a test of a value in Python", reference, "us CPU/message", None)
    for lang, member in (("JS", "jsScript"), ("TBEL", "tbelScript")):
        for what, kind, source, sizes in (
            ("script filter", ScriptFilter, TEST, (500, 50, 1)),
            ("script transformation", ScriptTransformation, CHANGE, (500,)),
        ):
            node = kind(kind.CONFIG.read({"scriptLang": lang, member: source}))
            for size in sizes:
                cost = _cost(jail, rounds, size, lambda batch, node=node: node.run(ctx, batch))
                yield Row(f"{what}, {lang}, {size} at once", cost, "us CPU/message", cost / reference)
    jail.close()


@contextmanager
def chain_with_script(ground: Ground) -> Iterator[None]:
    """The root chain of the demo's tenant with a script filter between type switch and save; as it was afterwards."""
    with httpx.Client(base_url=f"http://127.0.0.1:{ground.http_port}", timeout=30) as client:
        login = {"username": "tenant@thingsboard.org", "password": "tenant"}
        client.headers["X-Authorization"] = f"Bearer {client.post('/api/auth/login', json=login).json()['token']}"
        chains = client.get("/api/ruleChains", params={"pageSize": 100, "page": 0}).json()["data"]
        root = next(each for each in chains if each["root"] and each["type"] == "CORE")["id"]["id"]
        before = client.get(f"/api/ruleChain/{root}/metadata").json()
        client.post("/api/ruleChain/metadata", json=_extended(before)).raise_for_status()
        try:
            yield
        finally:
            now = client.get(f"/api/ruleChain/{root}/metadata").json()
            client.post("/api/ruleChain/metadata", json={**before, "version": now["version"]}).raise_for_status()


def _extended(metadata: dict[str, Any]) -> dict[str, Any]:
    nodes = list(metadata["nodes"])
    script = {"scriptLang": "JS", "jsScript": "return Object.keys(msg).length > 0 && metadata.deviceName.length > 0;"}
    where = {"layoutX": 600, "layoutY": 500}
    nodes.append({"type": FILTER, "name": "Script", "configuration": script, "additionalInfo": where})
    lines = [
        {**line, "toIndex": len(nodes) - 1} if line["type"] == "Post telemetry" else line
        for line in metadata["connections"]
    ]
    save = next(line["toIndex"] for line in metadata["connections"] if line["type"] == "Post telemetry")
    lines.append({"fromIndex": len(nodes) - 1, "toIndex": save, "type": "True"})
    return {**metadata, "nodes": nodes, "connections": lines}


def run(ground: Ground) -> Iterator[Row]:
    """At a node, and from publish to the table: CPU a message over all processes, beside that of storing alone."""
    yield from nodes(ground.rounds)
    dsn = database_url(ground.data_dir)
    arguments = ("--devices=500", f"--rate={RATE}", f"--duration={ground.seconds}", "--no-readback")
    ground.loadtest("--devices=500", "--rate=2000", "--duration=1", "--no-readback")  # makes the devices
    with CpuWatch(ground.tree) as watch:
        plain = ground.loadtest(*arguments)
    reference = 1e6 * watch.seconds_between(plain["started"], plain["finished"]) / max(1, plain["acknowledged"])
    yield Row("stored only", reference, "us CPU/message", None, f"{plain['messages_per_second']:,.0f}/s")
    with chain_with_script(ground):
        for _ in range(ground.rounds):
            with QueueWatch(dsn) as queue, CpuWatch(ground.tree) as watch:
                result = ground.loadtest(*arguments)
                ended = time.monotonic()
                while queue.depths and queue.depths[-1] and time.monotonic() - ended < 120:
                    time.sleep(0.05)
                drained = time.time() * 1000
            cpu = 1e6 * watch.seconds_between(result["started"], drained) / max(1, result["acknowledged"])
            note = (
                f"{result['messages_per_second']:,.0f}/s acknowledged; oldest in the queue p50 {quantile(queue.ages, 0.5):.0f} "
                f"p99 {quantile(queue.ages, 0.99):.0f} ms; empty {(drained - result['finished']) / 1000:.1f} s after the last"
            )
            yield Row("type switch, script filter, save", cpu, "us CPU/message", cpu / reference, note)
