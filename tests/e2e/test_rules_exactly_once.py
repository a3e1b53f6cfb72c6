"""Promises 2 and 3 (architecture.md 1) against kill -9: what chains do with a message happens once, in its device's order.

Every message raises an alarm of its own: of a message that was lost there is none, of one that ran twice there is one that was
raised twice (its version says so), and the alarms' ids tell in which order they were made.
"""

import json
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from http.client import HTTPException
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.api import Api
from tests.up import READY_SECONDS, Up, platforms
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

SWITCH = "org.thingsboard.rule.engine.filter.TbMsgTypeSwitchNode"
SAVE = "org.thingsboard.rule.engine.telemetry.TbMsgTimeseriesNode"
ALARM = "org.thingsboard.rule.engine.action.TbCreateAlarmNode"
TOKENS = ("A1_TEST_TOKEN", "A2_TEST_TOKEN", "DHT11_DEMO_TOKEN")
EACH = 250  # messages of a device

Kill = Callable[[Up], None]


@pytest.fixture(scope="module")
def platform(disk_dir: Path) -> Iterator[Up]:
    starting = platforms()
    platform = next(starting)(disk_dir, TB_DEMO=0)
    platform.await_ready()
    alarm_chain(Api(platform.http_port))
    yield platform
    with pytest.raises(StopIteration):
        next(starting)


def alarm_chain(api: Api) -> None:
    """The root chain raises an alarm for every message."""
    chains = api.get("/api/ruleChains", pageSize=100, page=0)["data"]
    root = next(each for each in chains if each["root"] and each["type"] == "CORE")["id"]
    kinds = [(SWITCH, {}), (SAVE, {}), (ALARM, {"alarmType": "$[run] $[n]", "severity": "MINOR"})]
    lines = [(0, 1, "Post telemetry"), (1, 2, "Success")]
    api.post(
        "/api/ruleChain/metadata",
        {
            "ruleChainId": root,
            "version": api.get(f"/api/ruleChain/{root['id']}/metadata")["version"],
            "firstNodeIndex": 0,
            "nodes": [
                {"type": kind, "name": kind.rsplit(".", 1)[-1], "configuration": given, "additionalInfo": {}}
                for kind, given in kinds
            ],
            "connections": [{"fromIndex": start, "toIndex": end, "type": label} for start, end, label in lines],
        },
    )


def kill_rules(platform: Up) -> None:
    platform.child("rules@").kill()


def kill_postmaster(platform: Up) -> None:
    platform.child("/postgres ").kill()


def kill_valkey(platform: Up) -> None:
    platform.child("valkey-server").kill()


class Sender(threading.Thread):
    """A device that says every message until it was acknowledged."""

    def __init__(self, port: int, token: str, run: str) -> None:
        super().__init__(daemon=True)
        self.url = f"http://127.0.0.1:{port}/api/v1/{token}/telemetry"
        self.token, self.label, self.sent = token, run, 0
        self.repeated: set[int] = set()

    def run(self) -> None:
        start = int(time.time() * 1000)
        for number in range(EACH):
            body = {"ts": start + number, "values": {"n": number, "run": f"{self.label} {self.token}"}}
            while not self.acknowledged(json.dumps(body).encode()):
                self.repeated.add(number)
                time.sleep(0.05)
            self.sent += 1

    def acknowledged(self, body: bytes) -> bool:
        request = urllib.request.Request(self.url, data=body, headers={"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=15) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError, HTTPException):
            return False


@pytest.mark.parametrize(
    ("kill", "deaths"),
    [
        pytest.param(kill_rules, 4, id="rules worker"),
        pytest.param(kill_postmaster, 1, id="database"),
        pytest.param(kill_valkey, 1, id="valkey"),
    ],
)
def test_what_a_chain_does_happens_once_and_in_order_whoever_is_killed(platform: Up, kill: Kill, deaths: int) -> None:
    label = uuid.uuid4().hex[:8]
    senders = [Sender(platform.http_port, token, label) for token in TOKENS]
    for sender in senders:
        sender.start()
    for death in range(deaths):
        goal = EACH * (death + 1) // (deaths + 1)
        until(lambda goal=goal: min(sender.sent for sender in senders) >= goal, READY_SECONDS)  # type: ignore[misc]
        until(lambda: _try(kill, platform), READY_SECONDS)
    for sender in senders:
        sender.join(READY_SECONDS)
        assert sender.sent == EACH
    platform.await_ready()
    until(lambda: not waiting(platform), READY_SECONDS)
    for sender in senders:
        raised = alarms(platform, f"{label} {sender.token} ")
        assert sorted(raised) == list(range(EACH))
        twice = {number for number, (version, _) in raised.items() if version != 1}
        assert twice <= sender.repeated  # said again, so it may have run again (promise 1)
        made = [number for number, _ in sorted(raised.items(), key=lambda item: item[1][1])]
        assert made == list(range(EACH))


def _try(kill: Kill, platform: Up) -> bool:
    """Whether there was one to kill: the supervisor may still be starting it anew."""
    try:
        kill(platform)
    except ValueError:
        return False
    return True


def waiting(platform: Up) -> int:
    with platform.database() as connection:
        (left,) = connection.execute("SELECT count(*) FROM kernel_outboxrow").fetchone() or (0,)
        return int(left)


def alarms(platform: Up, prefix: str) -> dict[int, tuple[int, Any]]:
    """Version and time of making of each alarm, by the number of its message; twice the same alarm is an error."""
    with platform.database() as connection:
        rows = connection.execute(
            "SELECT type, version, id FROM alarms_alarm WHERE starts_with(type, %s)", [prefix]
        ).fetchall()
    found = {int(kind.removeprefix(prefix)): (version, pk.time) for kind, version, pk in rows}
    assert len(found) == len(rows)
    return found
