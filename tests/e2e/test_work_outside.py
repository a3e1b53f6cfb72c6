"""Work outside against kill -9: whoever dies, each message goes on once, and nothing that was acknowledged is lost.

Behind the call every message raises an alarm of its own: of a message that was lost there is none, of one that went on twice
there is one that was raised twice (its version says so).
"""

import json
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.api import Api
from tests.rules.effects.calls import Call, Server
from tests.up import READY_SECONDS, Up, platforms
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

SWITCH = "org.thingsboard.rule.engine.filter.TbMsgTypeSwitchNode"
ALARM = "org.thingsboard.rule.engine.action.TbCreateAlarmNode"
TOKENS = ("A1_TEST_TOKEN", "A2_TEST_TOKEN", "DHT11_DEMO_TOKEN")
EACH = 40  # messages of a device


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.fixture(scope="module")
def platform(disk_dir: Path, server: Server) -> Iterator[Up]:
    starting = platforms()
    more = {"DJANGO_SETTINGS_MODULE": "tests.e2e.outside.settings", "TB_EFFECT_LEASE_SECONDS": 1, "TB_DEMO": 0}
    platform = next(starting)(disk_dir, **more)
    platform.await_ready()
    calling_chain(Api(platform.http_port), server.port)
    yield platform
    with pytest.raises(StopIteration):
        next(starting)


def calling_chain(api: Api, port: int) -> None:
    """The root chain calls the server for every message, and raises an alarm with the answer."""
    chains = api.get("/api/ruleChains", pageSize=100, page=0)["data"]
    root = next(each for each in chains if each["root"] and each["type"] == "CORE")["id"]
    alarm = {"alarmType": "$[run] ${answer}", "severity": "MINOR"}
    kinds = [(SWITCH, {}), (Call.TYPE, {"port": port, "path": "/gate"}), (ALARM, alarm)]
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


def say(port: int, token: str, run: str) -> None:
    body = json.dumps({"run": run}).encode()
    url = f"http://127.0.0.1:{port}/api/v1/{token}/telemetry"
    request = urllib.request.Request(url, data=body, headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=15) as answer:
        assert answer.status == 200


@pytest.mark.parametrize(
    "child",
    [
        pytest.param("effects@", id="effects worker"),
        pytest.param("rules@", id="rules worker"),
        pytest.param("/postgres ", id="database"),
        pytest.param("valkey-server", id="valkey"),
    ],
)
def test_every_message_goes_on_once_whoever_is_killed(platform: Up, server: Server, child: str) -> None:
    label = uuid.uuid4().hex[:8]
    server.open.clear()
    before = len(server.calls)
    for number in range(EACH):
        for token in TOKENS:
            say(platform.http_port, token, f"{label} {token} {number}")
    until(lambda: len(server.calls) - before >= EACH * len(TOKENS), READY_SECONDS)
    until(lambda: _try(lambda: platform.child(child).kill()), READY_SECONDS)
    server.open.set()
    platform.await_ready()
    until(lambda: len(alarms(platform, label)) == EACH * len(TOKENS), READY_SECONDS)
    until(lambda: not left(platform), READY_SECONDS)
    raised = alarms(platform, label)
    assert set(raised) == {f"{label} {token} {number} hello" for token in TOKENS for number in range(EACH)}
    assert set(raised.values()) == {1}


def test_a_worker_that_is_told_to_stop_gives_its_work_back(platform: Up, server: Server) -> None:
    label = uuid.uuid4().hex[:8]
    server.open.clear()
    before = len(server.calls)
    for number in range(EACH):
        say(platform.http_port, TOKENS[0], f"{label} {TOKENS[0]} {number}")
    until(lambda: len(server.calls) - before >= EACH, READY_SECONDS)
    until(lambda: _try(lambda: platform.child("effects@").terminate()), READY_SECONDS)
    until(lambda: len(server.calls) - before >= 2 * EACH, READY_SECONDS)
    with platform.database() as connection:
        assert connection.execute("SELECT DISTINCT attempts FROM kernel_effect").fetchall() == [(1,)]
    server.open.set()
    until(lambda: len(alarms(platform, label)) == EACH, READY_SECONDS)


def _try(kill: Callable[[], None]) -> bool:
    """Whether there was one to kill: the supervisor may still be starting it anew."""
    try:
        kill()
    except ValueError:
        return False
    return True


def left(platform: Up) -> int:
    with platform.database() as connection:
        asked = "SELECT (SELECT count(*) FROM kernel_outboxrow) + (SELECT count(*) FROM kernel_effect)"
        (found,) = connection.execute(asked).fetchone() or (0,)
        return int(found)


def alarms(platform: Up, label: str) -> dict[str, int]:
    """The version of each alarm, by its type; twice the same alarm is an error."""
    with platform.database() as connection:
        rows = connection.execute(
            "SELECT type, version FROM alarms_alarm WHERE starts_with(type, %s)", [label]
        ).fetchall()
    assert len({kind for kind, _ in rows}) == len(rows)
    return dict(rows)
