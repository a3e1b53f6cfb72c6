"""What a tenant notices of the flood of another: from the acknowledgement of its message to what the chain did with it.

The neighbour sends ten messages a second over HTTP, each of which raises an alarm of its own; the other tenant sends as fast as
it is acknowledged, through a chain that raises alarms as well. Reference: the same without the flood.
"""

import subprocess
import sys
import time
from collections.abc import Iterator

import httpx
import psycopg

from thingsboard.embedded.addresses import database_url

from .ground import ROOT, Ground, Row
from .rules import ALARM, chain_with_alarms, quantile

MESSAGES = 100
PAUSE_S = 0.1
LONGEST_S = 30.0
TARGET_MS = 1000.0
_FOUND = "SELECT 1 FROM alarms_alarm WHERE type = %s"


class Neighbour:
    """A tenant with one device, whose root chain raises an alarm for each message."""

    def __init__(self, port: int, dsn: str) -> None:
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30)
        self._dsn = dsn
        self._sign_in("sysadmin@thingsboard.org", "sysadmin")
        tenant = self._post("/api/tenant", {"title": "Neighbour"})
        admin = {"email": "n@neighbour.example", "authority": "TENANT_ADMIN", "tenantId": tenant["id"]}
        user = self._post("/api/user?sendActivationMail=false", admin)
        link = self.client.get(f"/api/user/{user['id']['id']}/activationLink").text
        token = link.rsplit("activateToken=", 1)[1]
        self._post("/api/noauth/activate?sendActivationMail=false", {"activateToken": token, "password": "neighbour 1"})
        self._sign_in("n@neighbour.example", "neighbour 1")
        self._post("/api/device?accessToken=NEIGHBOUR_TOKEN", {"name": "Next door"})
        chains = self.client.get("/api/ruleChains", params={"pageSize": 10, "page": 0}).json()["data"]
        root = next(each for each in chains if each["root"] and each["type"] == "CORE")["id"]
        node = {"type": ALARM, "name": "Alarm", "configuration": {"alarmType": "$[run] $[n]"}, "additionalInfo": {}}
        version = self.client.get(f"/api/ruleChain/{root['id']}/metadata").json()["version"]
        inside = {"ruleChainId": root, "version": version, "firstNodeIndex": 0, "nodes": [node], "connections": []}
        self._post("/api/ruleChain/metadata", inside)

    def _sign_in(self, name: str, password: str) -> None:
        self.client.headers.pop("X-Authorization", None)
        token = self._post("/api/auth/login", {"username": name, "password": password})["token"]
        self.client.headers["X-Authorization"] = f"Bearer {token}"

    def _post(self, path: str, body: object) -> dict[str, object]:
        answer = self.client.post(path, json=body)
        answer.raise_for_status()
        found: dict[str, object] = answer.json()
        return found

    def delays(self, run: str) -> list[float]:
        """How long after its acknowledgement each message had its effect, in ms."""
        found = []
        with psycopg.connect(self._dsn, autocommit=True) as connection:
            for number in range(MESSAGES):
                self.client.post("/api/v1/NEIGHBOUR_TOKEN/telemetry", json={"n": number, "run": run}).raise_for_status()
                acknowledged = time.perf_counter()
                while connection.execute(_FOUND, [f"{run} {number}"]).fetchone() is None:
                    if time.perf_counter() - acknowledged > LONGEST_S:
                        break
                    time.sleep(0.002)
                found.append(1000 * (time.perf_counter() - acknowledged))
                time.sleep(PAUSE_S)
        return found


def run(ground: Ground) -> Iterator[Row]:
    """p99 of the neighbour's delay, without and with the flood (ms)."""
    ground.loadtest("--devices=500", "--rate=2000", "--duration=1", "--no-readback")  # makes the devices
    neighbour = Neighbour(ground.http_port, database_url(ground.data_dir))
    alone = neighbour.delays("alone")
    yield Row("neighbour alone", quantile(alone, 0.99), "ms p99", None, _said(alone))
    seconds = MESSAGES * (PAUSE_S + 0.5)
    arguments = ["--devices=500", f"--duration={seconds}", "--no-readback", "--json"]
    command = [sys.executable, "manage.py", "loadtest", "--mqtt", f"127.0.0.1:{ground.mqtt_port}", *arguments]
    with chain_with_alarms(ground):
        flood = subprocess.Popen(
            command, cwd=ROOT, env=ground.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            time.sleep(5)
            flooded = neighbour.delays("flooded")
        finally:
            flood.terminate()
            flood.wait(60)
    ratio = quantile(flooded, 0.99) / max(0.001, quantile(alone, 0.99))
    yield Row(
        "neighbour of a flood", quantile(flooded, 0.99), "ms p99", ratio, f"{_said(flooded)}; target {TARGET_MS:g}"
    )


def _said(delays: list[float]) -> str:
    return f"p50 {quantile(delays, 0.5):.0f}, max {max(delays):.0f} ms"
