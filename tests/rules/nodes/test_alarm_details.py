"""The script that makes an alarm's details, of the nodes that create and clear alarms."""

import pytest

from rules.nodes.action.clear_alarm import ClearAlarm
from rules.nodes.action.create_alarm import CreateAlarm
from tests.rules.nodes.context import DEVICE, World, entity, message
from tests.rules.nodes.running import failed, made, relations, run_one

JS = """
var seen = metadata.prevAlarmDetails ? JSON.parse(metadata.prevAlarmDetails).seen : [];
return {seen: seen.concat(msg.t), of: metadata.deviceName};
"""
TBEL = """
var seen = [];
if (metadata.prevAlarmDetails != null) {
    seen = JSON.parse(metadata.prevAlarmDetails).seen;
}
seen.add(msg.t);
return {seen: seen, of: metadata.deviceName};
"""
LANGUAGES = [{"scriptLang": "JS", "alarmDetailsBuildJs": JS}, {"scriptLang": "TBEL", "alarmDetailsBuildTbel": TBEL}]
BOTH = pytest.mark.parametrize("script", LANGUAGES, ids=("JS", "TBEL"))


@BOTH
def test_it_makes_the_details_of_a_new_alarm_and_finds_those_of_the_active_one(world: World, script: dict) -> None:
    node = made(CreateAlarm, {"alarmType": "High", "severity": "MAJOR", **script})
    world.alarms.has(entity(2), "High", {"seen": [1, 2]})
    messages = [message({"t": 5}, deviceName="A"), message({"t": 3}, originator=entity(2), deviceName="B")]
    outcomes = node.run(world, messages)
    assert relations(outcomes) == ["Created", "Updated"]
    assert [wish.details for wish in world.alarms.wishes] == [{"seen": [5], "of": "A"}, {"seen": [1, 2, 3], "of": "B"}]
    assert world.asked == ["evaluate"]
    assert "prevAlarmDetails" not in outcomes[1].msg.metadata


def test_messages_of_one_alarm_see_what_those_before_them_left(world: World) -> None:
    node = made(CreateAlarm, {"alarmType": "High", "severity": "MAJOR", **LANGUAGES[0]})
    node.run(world, [message({"t": n}) for n in (1, 2, 3)])
    assert world.alarms.wishes[-1].details == {"seen": [1, 2, 3]}


@BOTH
def test_it_makes_the_details_of_a_cleared_alarm(world: World, script: dict) -> None:
    world.alarms.has(DEVICE, "High", {"seen": [1]})
    outcome = run_one(made(ClearAlarm, {"alarmType": "High", **script}), world, message({"t": 2}, deviceName="A"))
    assert outcome.relation == "Cleared" and outcome.msg.data.value["details"] == {"seen": [1, 2], "of": "A"}


def test_nothing_to_clear_asks_no_script(world: World) -> None:
    outcome = run_one(made(ClearAlarm, {"alarmType": "High", **LANGUAGES[0]}), world, message({"t": 2}))
    assert outcome.relation == "False" and world.asked == []


@pytest.mark.parametrize("kind", [CreateAlarm, ClearAlarm])
def test_an_error_fails_its_own_message_and_changes_no_alarm(world: World, kind: type) -> None:
    script = "if (msg.t === 1) return msg.a.b; return {fine: true};"
    node = made(kind, {"alarmType": "High", "severity": "MAJOR", "alarmDetailsBuildJs": script})
    for number in (1, 2):
        world.alarms.has(entity(number), "High", {"old": True})
    outcomes = node.run(world, [message({"t": number}, originator=entity(number)) for number in (1, 2)])
    assert failed(outcomes[0]) == "TypeError: cannot read property 'b' of undefined (line 1)"
    assert outcomes[1].relation in ("Updated", "Cleared")
    assert world.alarms.all[next(iter(world.alarms.all))]["details"] == {"old": True}


@pytest.mark.parametrize("kind", [CreateAlarm, ClearAlarm])
def test_tbel_that_does_not_parse_is_refused_when_the_node_is_made(kind: type) -> None:
    with pytest.raises(ValueError, match=r"\(line 2\)"):
        made(
            kind,
            {"alarmType": "High", "severity": "MAJOR", "scriptLang": "TBEL", "alarmDetailsBuildTbel": "\nreturn (;"},
        )
