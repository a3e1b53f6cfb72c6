"""The rule engine under load: the default root chain with a type filter and create alarm behind it, from publish to effect.

How old the oldest message of the queue is, sampled every 20 ms, is what the slowest message has waited so far: with the
latency of the acknowledgement it bounds publish-to-effect from above.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import psycopg

from thingsboard.embedded.addresses import database_url

from .ground import CpuWatch, Ground, Row

RATE = 15_000
SAMPLE_S = 0.02
FILTER = "org.thingsboard.rule.engine.filter.TbMsgTypeFilterNode"
ALARM = "org.thingsboard.rule.engine.action.TbCreateAlarmNode"
_LOOK = "SELECT coalesce(sum(messages - done), 0), coalesce(sum(size), 0), coalesce(min(created_time), 0) FROM kernel_outboxrow"


class QueueWatch:
    """Samples depth (messages, bytes) and the age of the oldest message (ms)."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.ages: list[float] = []
        self.depths: list[int] = []
        self.bytes: list[int] = []

    def __enter__(self) -> "QueueWatch":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        with psycopg.connect(self._dsn, autocommit=True) as connection:
            while not self._stop.wait(SAMPLE_S):
                depth, size, oldest = connection.execute(_LOOK).fetchone() or (0, 0, 0)
                self.depths.append(int(depth))
                self.bytes.append(int(size))
                self.ages.append(time.time() * 1000 - oldest if oldest else 0.0)


def quantile(values: list[float], share: float) -> float:
    """Of a sample; 0 for an empty one."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))] if values else 0.0


@contextmanager
def chain_with_alarms(ground: Ground) -> Iterator[None]:
    """The root chain of the demo's tenant, with filter and create alarm behind its save node; as it was afterwards."""
    with httpx.Client(base_url=f"http://127.0.0.1:{ground.http_port}", timeout=30) as client:
        login = {"username": "tenant@thingsboard.org", "password": "tenant"}
        client.headers["X-Authorization"] = f"Bearer {client.post('/api/auth/login', json=login).json()['token']}"
        chains = client.get("/api/ruleChains", params={"pageSize": 100, "page": 0}).json()["data"]
        root = next(each for each in chains if each["root"] and each["type"] == "CORE")["id"]["id"]
        before = client.get(f"/api/ruleChain/{root}/metadata").json()
        client.post("/api/ruleChain/metadata", json=extended(before)).raise_for_status()
        try:
            yield
        finally:
            now = client.get(f"/api/ruleChain/{root}/metadata").json()
            client.post("/api/ruleChain/metadata", json={**before, "version": now["version"]}).raise_for_status()


def extended(metadata: dict[str, Any]) -> dict[str, Any]:
    """With two nodes more."""
    nodes = list(metadata["nodes"])
    save = next(number for number, node in enumerate(nodes) if node["type"].endswith("TbMsgTimeseriesNode"))
    where = {"layoutX": 900, "layoutY": 300}
    alarm = {"alarmType": "Load", "severity": "MINOR"}
    nodes += [
        {"type": FILTER, "name": "Telemetry", "configuration": {"messageTypes": ["POST_TELEMETRY_REQUEST"]}},
        {"type": ALARM, "name": "Alarm", "configuration": alarm},
    ]
    lines = [
        *metadata["connections"],
        {"fromIndex": save, "toIndex": len(nodes) - 2, "type": "Success"},
        {"fromIndex": len(nodes) - 2, "toIndex": len(nodes) - 1, "type": "True"},
    ]
    shaped = [{"additionalInfo": where, **node} for node in nodes]
    return {**metadata, "nodes": shaped, "connections": lines}


def run(ground: Ground) -> Iterator[Row]:
    """Rate, CPU a message over all processes (beside that of the same load without the queue), latency, depth."""
    dsn = database_url(ground.data_dir)
    arguments = ("--devices=500", f"--rate={RATE}", f"--duration={ground.seconds}", "--no-readback")
    ground.loadtest("--devices=500", "--rate=2000", "--duration=1", "--no-readback")  # makes the devices
    with CpuWatch(ground.tree) as watch:
        plain = ground.loadtest(*arguments)
    reference = 1e6 * watch.seconds_between(plain["started"], plain["finished"]) / max(1, plain["acknowledged"])
    yield Row("stored only", reference, "us CPU/message", None, f"{plain['messages_per_second']:,.0f}/s")
    with chain_with_alarms(ground):
        # The first alarm of each device costs what the next thousand do not, and a start happens once a month.
        ground.loadtest("--devices=500", "--rate=5000", "--duration=2", "--no-readback")
        for _ in range(ground.rounds):
            with QueueWatch(dsn) as queue, CpuWatch(ground.tree) as watch:
                result = ground.loadtest(*arguments)
                ended = time.monotonic()
                while queue.depths and queue.depths[-1] and time.monotonic() - ended < 120:
                    time.sleep(SAMPLE_S)
                drained = time.monotonic() - ended
            cpu = 1e6 * watch.seconds_between(result["started"], result["finished"]) / max(1, result["acknowledged"])
            ack = result["ack_ms"]
            note = (
                f"{result['messages_per_second']:,.0f}/s acknowledged p50 {ack['p50']} p99 {ack['p99']} ms; oldest in the "
                f"queue p50 {quantile(queue.ages, 0.5):.0f} p99 {quantile(queue.ages, 0.99):.0f} ms; depth p99 "
                f"{quantile(list(map(float, queue.depths)), 0.99):,.0f} max {max(queue.depths):,} messages, "
                f"{max(queue.bytes) >> 20} MB; empty {drained:.1f} s after the last"
            )
            yield Row("with type filter and create alarm", cpu, "us CPU/message", cpu / reference, note)
