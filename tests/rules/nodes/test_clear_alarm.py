"""Clear alarm: the active one of a type, or the one that the originator is."""

import pytest

from rules.nodes.action.clear_alarm import ClearAlarm
from tests.rules.nodes.context import DEVICE, NOW, World, entity, message
from tests.rules.nodes.running import failed, made, relations, run_one
from thingsboard.kernel.ids import EntityId, EntityType

CONFIGURATION = {**ClearAlarm.defaults(), "alarmType": "High ${what}"}


def test_the_active_alarm_is_cleared_and_keeps_its_details(world: World) -> None:
    world.alarms.has(DEVICE, "High t", {"seen": 1})
    outcome = run_one(made(ClearAlarm, CONFIGURATION), world, message({"t": 1}, what="t", stored=True))
    assert (outcome.relation, outcome.msg.type, outcome.msg.originator) == ("Cleared", "ALARM", DEVICE)
    assert outcome.msg.metadata == {"what": "t", "isClearedAlarm": "true"}
    alarm = outcome.msg.data.value
    assert (alarm["cleared"], alarm["clearTs"], alarm["details"]) == (True, NOW, {"seen": 1})
    assert world.alarms.actives == {}


def test_nothing_to_clear_lets_the_message_go_on_as_it_is(world: World) -> None:
    world.alarms.has(entity(2), "High t")
    msg = message({"t": 1}, what="t", stored=True)
    outcome = run_one(made(ClearAlarm, CONFIGURATION), world, msg)
    assert (outcome.relation, outcome.msg) == ("False", msg)
    assert len(world.alarms.actives) == 1


def test_an_alarm_without_details_gets_empty_ones(world: World) -> None:
    world.alarms.has(DEVICE, "High t")
    assert run_one(made(ClearAlarm, CONFIGURATION), world, message({}, what="t")).msg.data.value["details"] == {}


def test_all_alarms_of_a_batch_are_loaded_once_and_decided_in_order(world: World) -> None:
    world.alarms.has(DEVICE, "High t")
    world.alarms.has(DEVICE, "High h")
    outcomes = made(ClearAlarm, CONFIGURATION).run(world, [message({}, what=what) for what in ("t", "h", "t")])
    assert relations(outcomes) == ["Cleared", "Cleared", "False"]
    assert world.alarms.loads == [{(DEVICE, "High t"), (DEVICE, "High h")}]


def test_an_originator_that_is_an_alarm_is_cleared_itself_whatever_its_type(world: World) -> None:
    id = world.alarms.has(DEVICE, "Another type")
    outcome = run_one(made(ClearAlarm, CONFIGURATION), world, message({}, originator=EntityId(EntityType.ALARM, id)))
    assert outcome.relation == "Cleared"
    assert outcome.msg.data.value["type"] == "Another type"


def test_an_alarm_that_is_cleared_already_or_gone_is_not_cleared_again(world: World) -> None:
    old = world.alarms.has(DEVICE, "High t")
    world.alarms.has(DEVICE, "High t")  # the next one of the same type: it must stay
    gone = entity(3, EntityType.ALARM)
    messages = [message({}, originator=originator) for originator in (EntityId(EntityType.ALARM, old), gone)]
    assert relations(made(ClearAlarm, CONFIGURATION).run(world, messages)) == ["False", "False"]
    assert len(world.alarms.actives) == 1


def test_a_type_that_cannot_be_one_fails_the_message_alone(world: World) -> None:
    world.alarms.has(DEVICE, "T")
    node = made(ClearAlarm, {**CONFIGURATION, "alarmType": "$[type]"})
    bad, good = node.run(world, [message({"type": ""}), message({"type": "T"})])
    assert "The alarm type is empty" in failed(bad)
    assert good.relation == "Cleared"


def test_details_of_the_metadata_that_are_not_json_fail_the_message(world: World) -> None:
    world.alarms.has(DEVICE, "High t")
    outcome = run_one(made(ClearAlarm, CONFIGURATION), world, message({}, what="t", prevAlarmDetails="{"))
    assert "prevAlarmDetails in the metadata is not JSON" in failed(outcome)
    assert len(world.alarms.actives) == 1


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"alarmType": " "}, "The alarm type is empty"),
        ({"scriptLang": "COBOL"}, "Unknown script language"),
    ],
)
def test_settings_that_cannot_be_used_are_refused_with_a_sentence(change: dict, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        made(ClearAlarm, {**CONFIGURATION, **change})
