"""Delay: each message goes on when its time has come."""

import pytest

from rules.node import Wait
from rules.nodes.action.delay import FULL, Delay
from tests.rules.nodes.context import NOW, World, entity, message
from tests.rules.nodes.running import failed, made, run_one

BY_METADATA = {"maxPendingMsgs": 5, "useMetadataPeriodInSecondsPatterns": True}


def test_a_message_goes_on_as_it_is_after_the_period(world: World) -> None:
    msg = message({"t": 1}, stored=True)
    assert run_one(made(Delay, Delay.defaults()), world, msg) == Wait(msg, NOW + 60_000)


@pytest.mark.parametrize(
    ("pattern", "metadata", "body", "seconds"),
    [
        ("${wait}", {"wait": "5"}, {}, 5),
        ("$[wait]", {}, {"wait": 7}, 7),
        ("1${wait}", {"wait": "0"}, {}, 10),
        ("${wait}", {"wait": "-3"}, {}, 0),
    ],
)
def test_the_period_may_come_with_the_message(
    world: World, pattern: str, metadata: dict[str, str], body: dict[str, int], seconds: int
) -> None:
    node = made(Delay, {**BY_METADATA, "periodInSecondsPattern": pattern})
    outcome = run_one(node, world, message(body, **metadata))
    assert isinstance(outcome, Wait) and outcome.due == NOW + seconds * 1000


@pytest.mark.parametrize("text", ["", "soon", "1.5", "99999999999"])
def test_a_period_that_is_no_number_of_seconds_fails_its_message_alone(world: World, text: str) -> None:
    node = made(Delay, {**BY_METADATA, "periodInSecondsPattern": "${wait}"})
    bad, good = node.run(world, [message({}, wait=text), message({}, wait="1")])
    assert "Can't parse period in seconds from metadata using pattern: ${wait}" in failed(bad)
    assert isinstance(good, Wait)


def test_no_more_messages_wait_than_may_and_those_that_fail_take_no_place(world: World) -> None:
    world.later.pending = 3
    node = made(Delay, {**BY_METADATA, "periodInSecondsPattern": "${wait}"})
    waits = ["1", "x", "1", "1"]
    outcomes = node.run(world, [message({}, wait=wait, originator=entity(n)) for n, wait in enumerate(waits)])
    assert [isinstance(each, Wait) for each in outcomes] == [True, False, True, False]
    assert failed(outcomes[3]) == FULL
    assert world.later.asked == ["waiting"]


def test_a_configuration_that_says_nothing_lets_nothing_wait(world: World) -> None:
    assert failed(run_one(made(Delay, {}), world, message({}))) == FULL  # as in ThingsBoard, where both are 0 then
