"""Create alarm with the data of the message: the body is the alarm."""

import pytest

from rules.nodes.action.create_alarm import CreateAlarm
from tests.rules.nodes.context import CUSTOMER, DEVICE, NOW, World, device, entity, message
from tests.rules.nodes.running import failed, made, run_one

CONFIGURATION = {**CreateAlarm.defaults(), "useMessageAlarmData": True, "propagateToTenant": True}
BODY = {
    "type": "Fire",
    "severity": "MAJOR",
    "startTs": 3,
    "endTs": 4,
    "details": {"floor": 2},
    "propagate": True,
    "propagateRelationTypes": ["Contains"],
    "cleared": True,
    "tenantId": {"entityType": "TENANT", "id": str(entity(99).id)},
    "customerId": {"entityType": "CUSTOMER", "id": str(entity(98).id)},
}


def test_the_body_counts_and_the_node_does_not(world: World) -> None:
    outcome = run_one(made(CreateAlarm, CONFIGURATION), world, message(BODY, "ALARM", ts="9"))
    (wish,) = world.alarms.wishes
    assert (wish.originator, wish.customer_id, wish.type, wish.severity) == (DEVICE, CUSTOMER, "Fire", "MAJOR")
    assert (wish.details, wish.start_ts, wish.end_ts) == ({"floor": 2}, 3, 4)
    assert (wish.propagate, wish.propagate_to_tenant, wish.relation_types) == (True, False, ("Contains",))
    assert outcome.relation == "Created"


def test_an_active_alarm_keeps_its_start_and_ends_now(world: World) -> None:
    world.alarms.has(DEVICE, "Fire", {"floor": 1})
    outcome = run_one(made(CreateAlarm, CONFIGURATION), world, message(BODY, "ALARM"))
    (wish,) = world.alarms.wishes
    assert (wish.details, wish.start_ts, wish.end_ts) == ({"floor": 2}, 5, NOW)
    assert outcome.relation == "Updated"


def test_times_that_are_not_said_are_now(world: World) -> None:
    run_one(made(CreateAlarm, CONFIGURATION), world, message({"type": "Fire", "severity": "MAJOR"}))
    assert (world.alarms.wishes[0].start_ts, world.alarms.wishes[0].end_ts) == (NOW, NOW)


@pytest.mark.parametrize("configuration", [{"overwriteAlarmDetails": True}, {"overwriteAlarmDetails": None}])
def test_the_script_makes_the_details_where_that_is_wanted_or_not_said(world: World, configuration: dict) -> None:
    run_one(made(CreateAlarm, {**CONFIGURATION, **configuration}), world, message(BODY))
    assert world.alarms.wishes[0].details == {}


def test_a_script_that_is_not_needed_may_be_any() -> None:
    made(CreateAlarm, {**CONFIGURATION, "alarmDetailsBuildTbel": "return (;"})
    with pytest.raises(ValueError, match=r"\(line 1\)"):
        made(CreateAlarm, {**CONFIGURATION, "alarmDetailsBuildTbel": "return (;", "overwriteAlarmDetails": True})


def test_the_alarm_may_be_of_another_entity_of_the_tenant(world: World) -> None:
    other = entity(2)
    world.known = {other: device()._replace(customer_id=None)}
    run_one(made(CreateAlarm, CONFIGURATION), world, message({**BODY, "originator": other.to_json()}))
    assert (world.alarms.wishes[0].originator, world.alarms.wishes[0].customer_id) == (other, None)


def test_the_active_alarm_of_the_originator_goes_before_that_of_another_entity(world: World) -> None:
    other = entity(2)
    world.known = {other: device()}
    world.alarms.has(DEVICE, "Fire")
    run_one(made(CreateAlarm, CONFIGURATION), world, message({**BODY, "originator": other.to_json()}))
    assert world.alarms.wishes[0].originator == DEVICE


def test_an_entity_of_somebody_else_is_not_found(world: World) -> None:
    stranger = entity(2)
    outcome = run_one(made(CreateAlarm, CONFIGURATION), world, message({**BODY, "originator": stranger.to_json()}))
    assert failed(outcome) == f"The originator of the alarm was not found: DEVICE {stranger.id}."
    assert world.alarms.wishes == []
    assert world.alarms.loads == [{(DEVICE, "Fire")}], "its alarms are neither read nor locked"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ([], "The message body is not a JSON object."),
        ({"severity": "MAJOR"}, "The message body is not an alarm: Object missing required field `type`"),
        ({"type": "Fire", "severity": "HOT"}, "The message body is not an alarm: Invalid enum value 'HOT'"),
        ({"type": "", "severity": "MAJOR"}, "The alarm type is empty"),
        (
            {"type": "Fire", "severity": "MAJOR", "originator": {"entityType": "DEVICE", "id": "7"}},
            "Invalid UUID string: 7",
        ),
    ],
)
def test_a_body_that_is_no_alarm_fails_alone(world: World, body: object, why: str) -> None:
    bad, good = made(CreateAlarm, CONFIGURATION).run(world, [message(body), message(BODY)])
    assert why in failed(bad)
    assert good.relation == "Created"
