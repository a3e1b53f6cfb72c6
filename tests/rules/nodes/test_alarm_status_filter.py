"""Alarm status filter: the present status of the alarm in the body."""

import uuid
from typing import Any

import pytest

from rules.nodes.filter.alarm_status_filter import AlarmStatusFilter
from tests.rules.nodes.context import DEVICE, World, message
from tests.rules.nodes.running import failed, made, relations, run_one


def alarm(world: World, status: str, type: str = "Hot") -> Any:
    """The body that was written when it was another one: an alarm of that status now."""
    id = world.alarms.has(DEVICE, type)
    world.alarms.all[id]["status"] = status
    return {"id": {"entityType": "ALARM", "id": str(id)}, "status": "ACTIVE_UNACK"}


@pytest.mark.parametrize(
    ("status", "relation"),
    [("ACTIVE_UNACK", "True"), ("ACTIVE_ACK", "True"), ("CLEARED_UNACK", "False"), ("CLEARED_ACK", "False")],
)
def test_a_new_node_lets_active_alarms_pass_by_their_present_status(world: World, status: str, relation: str) -> None:
    outcome = run_one(made(AlarmStatusFilter), world, message(alarm(world, status)))
    assert outcome.relation == relation


def test_only_the_statuses_of_the_list_pass(world: World) -> None:
    node = made(AlarmStatusFilter, {"alarmStatusList": ["CLEARED_ACK"]})
    outcomes = node.run(world, [message(alarm(world, status)) for status in ("CLEARED_ACK", "ACTIVE_ACK")])
    assert relations(outcomes) == ["True", "False"]


def test_an_alarm_that_is_not_known_fails_and_the_others_go_on(world: World) -> None:
    unknown = {"id": {"entityType": "ALARM", "id": str(uuid.uuid4())}}
    gone, there = made(AlarmStatusFilter).run(world, [message(unknown), message(alarm(world, "ACTIVE_ACK"))])
    assert failed(gone) == "No such alarm found."
    assert there.relation == "True"


@pytest.mark.parametrize(
    "body", [{}, {"id": None}, {"id": {"entityType": "DEVICE", "id": str(uuid.uuid4())}}, [1], "a"]
)
def test_a_body_that_is_no_alarm_fails_without_a_look_up(world: World, body: Any) -> None:
    assert failed(run_one(made(AlarmStatusFilter), world, message(body))).startswith(
        "The message body is not an alarm: "
    )


def test_a_status_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="MAYBE"):
        made(AlarmStatusFilter, {"alarmStatusList": ["MAYBE"]})
