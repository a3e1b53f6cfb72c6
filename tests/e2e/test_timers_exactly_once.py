"""Messages that wait for a time against kill -9 and restarts: each goes on, and goes on once.

Every message raises an alarm of its own after a delay: of a message that was lost there is none, and one that went on twice has
raised it twice, as its version says.
"""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.api import Api
from tests.e2e.test_rules_exactly_once import ALARM, EACH, SAVE, SWITCH, TOKENS, Sender, _try, alarms, kill_rules
from tests.up import READY_SECONDS, Up, platforms
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

DELAY = "org.thingsboard.rule.engine.delay.TbMsgDelayNode"


@pytest.fixture(scope="module")
def platform(disk_dir: Path) -> Iterator[Up]:
    starting = platforms()
    platform = next(starting)(disk_dir, TB_DEMO=0, TB_TIMER_SECONDS=0.1)
    platform.await_ready()
    yield platform
    with pytest.raises(StopIteration):
        next(starting)


def delay_chain(api: Api, seconds: int) -> None:
    """The root chain raises an alarm for every message, so many seconds later."""
    chains = api.get("/api/ruleChains", pageSize=100, page=0)["data"]
    root = next(each for each in chains if each["root"] and each["type"] == "CORE")["id"]
    kinds = [
        (SWITCH, {}),
        (SAVE, {}),
        (DELAY, {"periodInSeconds": seconds, "maxPendingMsgs": 100_000}),
        (ALARM, {"alarmType": "$[run] $[n]", "severity": "MINOR"}),
    ]
    lines = [(0, 1, "Post telemetry"), (1, 2, "Success"), (2, 3, "Success")]
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


def left(platform: Up) -> tuple[int, int]:
    """Timers, and rows of the queue."""
    with platform.database() as connection:
        timers, rows = connection.execute(
            "SELECT (SELECT count(*) FROM kernel_timer), (SELECT count(*) FROM kernel_outboxrow)"
        ).fetchone() or (0, 0)
        return int(timers), int(rows)


def send(platform: Up, label: str) -> list[Sender]:
    senders = [Sender(platform.http_port, token, label) for token in TOKENS]
    for sender in senders:
        sender.start()
    return senders


def all_went_on_once(platform: Up, label: str, senders: list[Sender]) -> None:
    for sender in senders:
        raised = alarms(platform, f"{label} {sender.token} ")
        assert sorted(raised) == list(range(EACH))
        twice = {number for number, (version, _) in raised.items() if version != 1}
        assert twice <= sender.repeated  # said again, so it may have waited again (promise 1)


def test_what_waits_goes_on_once_though_who_has_it_go_on_is_killed(platform: Up) -> None:
    delay_chain(Api(platform.http_port), 1)
    label = uuid.uuid4().hex[:8]
    senders = send(platform, label)
    for death in range(4):
        goal = EACH * (death + 1) // 5
        until(lambda goal=goal: min(sender.sent for sender in senders) >= goal, READY_SECONDS)  # type: ignore[misc]
        until(lambda: left(platform)[0] > 0, READY_SECONDS)
        until(lambda: _try(kill_rules, platform), READY_SECONDS)
    for sender in senders:
        sender.join(READY_SECONDS)
        assert sender.sent == EACH
    platform.await_ready()
    until(lambda: left(platform) == (0, 0), READY_SECONDS)
    all_went_on_once(platform, label, senders)


def test_what_waits_outlives_a_restart_of_everything(platform: Up) -> None:
    delay_chain(Api(platform.http_port), 8)
    label = uuid.uuid4().hex[:8]
    senders = send(platform, label)
    for sender in senders:
        sender.join(READY_SECONDS)
        assert sender.sent == EACH
    until(lambda: left(platform)[0] > 0, READY_SECONDS)
    platform.process.terminate()
    platform.process.wait(READY_SECONDS)
    platform.start()
    platform.await_ready()
    until(lambda: left(platform) == (0, 0), READY_SECONDS)
    all_went_on_once(platform, label, senders)
