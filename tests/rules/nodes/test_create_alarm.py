"""Create alarm: new or updated, by configuration or by message."""

import pytest

from rules.nodes.action.create_alarm import CreateAlarm
from tests.rules.nodes.context import CAME, CUSTOMER, DEVICE, NOW, World, entity, message
from tests.rules.nodes.running import failed, made, relations, run_one

JS = """var details = {};
if (metadata.prevAlarmDetails) {
    details = JSON.parse(metadata.prevAlarmDetails);
    //remove prevAlarmDetails from metadata
    delete metadata.prevAlarmDetails;
    //now metadata is the same as it comes IN this rule node
}


return details;"""
TBEL = JS.replace("(metadata.prevAlarmDetails) {", "(metadata.prevAlarmDetails != null) {").replace(
    "delete metadata.prevAlarmDetails;", "metadata.remove('prevAlarmDetails');"
)
EXPORTED = {
    "alarmType": "General Alarm",
    "scriptLang": "TBEL",
    "alarmDetailsBuildJs": JS,
    "alarmDetailsBuildTbel": TBEL,
    "severity": "CRITICAL",
    "propagate": False,
    "propagateToOwner": False,
    "propagateToTenant": False,
    "useMessageAlarmData": False,
    "overwriteAlarmDetails": False,
    "dynamicSeverity": False,
    "relationTypes": [],
}


def test_an_alarm_is_created_with_the_time_of_the_message(world: World) -> None:
    msg = message({"t": 50}, ts="5", deviceName="A", stored=True)
    outcome = run_one(made(CreateAlarm, {**EXPORTED, "propagate": True, "relationTypes": ["Contains"]}), world, msg)
    (wish,) = world.alarms.wishes
    assert (wish.originator, wish.customer_id, wish.type, wish.severity) == (
        DEVICE,
        CUSTOMER,
        "General Alarm",
        "CRITICAL",
    )
    assert (wish.details, wish.start_ts, wish.end_ts) == ({}, 5, 5)
    assert (wish.propagate, wish.propagate_to_owner, wish.propagate_to_tenant) == (True, False, False)
    assert wish.relation_types == ("Contains",)
    assert (outcome.relation, outcome.msg.type, outcome.msg.originator) == ("Created", "ALARM", DEVICE)
    assert outcome.msg.metadata == {"ts": "5", "deviceName": "A", "isNewAlarm": "true"}
    assert outcome.msg.data.value["type"] == "General Alarm"
    assert not outcome.msg.stored


def test_the_active_alarm_is_updated_and_keeps_start_and_details(world: World) -> None:
    world.alarms.has(DEVICE, "General Alarm", {"seen": 1})
    outcome = run_one(made(CreateAlarm, EXPORTED), world, message({"t": 50}, ts="5"))
    (wish,) = world.alarms.wishes
    assert (wish.severity, wish.details, wish.start_ts, wish.end_ts) == ("CRITICAL", None, 5, NOW)
    assert outcome.relation == "Updated"
    assert outcome.msg.metadata == {"ts": "5", "isExistingAlarm": "true"}
    assert (outcome.msg.data.value["details"], outcome.msg.data.value["severity"]) == ({"seen": 1}, "CRITICAL")


def test_all_alarms_of_a_batch_are_loaded_once_and_decided_in_order(world: World) -> None:
    other = entity(2)
    node = made(CreateAlarm, EXPORTED)
    outcomes = node.run(world, [message({}), message({}, originator=other), message({})])
    assert relations(outcomes) == ["Created", "Created", "Updated"]
    assert world.alarms.loads == [{(DEVICE, "General Alarm"), (other, "General Alarm")}]


def test_type_and_severity_may_come_from_the_message(world: World) -> None:
    node = made(
        CreateAlarm,
        {
            **EXPORTED,
            "alarmType": "High $[what.name] of ${deviceName}",
            "dynamicSeverity": True,
            "severity": "$[severity]",
        },
    )
    run_one(node, world, message({"what": {"name": "temperature"}, "severity": "MINOR"}, deviceName="A"))
    (wish,) = world.alarms.wishes
    assert (wish.type, wish.severity, wish.start_ts) == ("High temperature of A", "MINOR", CAME)


@pytest.mark.parametrize(
    ("change", "body", "why"),
    [
        (
            {"dynamicSeverity": True, "severity": "$[severity]"},
            {},
            "Unknown alarm severity '$[severity]'; expected one of CRITICAL",
        ),
        ({"dynamicSeverity": True, "severity": "$[severity]"}, {"severity": "minor"}, "Unknown alarm severity 'minor'"),
        ({"alarmType": "$[type]"}, {"type": " "}, "The alarm type is empty"),
        ({"alarmType": "$[type]"}, {"type": "x" * 256}, "The alarm type has 256 characters; at most 255"),
    ],
)
def test_a_message_that_lacks_what_is_needed_fails_alone(world: World, change: dict, body: dict, why: str) -> None:
    good = {"severity": "MINOR", "type": "T"}
    outcomes = made(CreateAlarm, {**EXPORTED, **change}).run(world, [message(body), message(good)])
    assert why in failed(outcomes[0])
    assert outcomes[1].relation == "Created"
    assert len(world.alarms.wishes) == 1


def test_details_of_the_metadata_count_where_the_alarm_has_none(world: World) -> None:
    node = made(CreateAlarm, EXPORTED)
    good, bad = node.run(
        world, [message({}, prevAlarmDetails='{"a":1}'), message({}, prevAlarmDetails="{", originator=entity(2))]
    )
    assert (good.relation, world.alarms.wishes[0].details) == ("Created", {"a": 1})
    assert "prevAlarmDetails in the metadata is not JSON" in failed(bad)


def test_details_that_are_empty_go_before_those_of_the_metadata(world: World) -> None:
    world.alarms.has(DEVICE, "General Alarm", {})
    outcome = run_one(made(CreateAlarm, EXPORTED), world, message({}, prevAlarmDetails='{"a":1}'))
    assert outcome.msg.data.value["details"] == {}


@pytest.mark.parametrize("lang", ["JS", "TBEL", None])
@pytest.mark.parametrize("noise", ["", "\n\n", "  // my comment\n"])
def test_the_default_scripts_are_known_whatever_their_white_space_and_comments(lang: str | None, noise: str) -> None:
    scripts = {
        "alarmDetailsBuildJs": JS.replace("\n\n\n", noise or "\n"),
        "alarmDetailsBuildTbel": TBEL.replace("\n\n\n", "\n"),
    }
    made(CreateAlarm, {**EXPORTED, **scripts, "scriptLang": lang})


def test_the_default_script_of_older_versions_is_known() -> None:
    old = JS.replace("    //remove prevAlarmDetails from metadata\n    delete metadata.prevAlarmDetails;\n", "")
    assert "delete" not in old
    made(CreateAlarm, {"alarmType": "A", "severity": "MAJOR", "alarmDetailsBuildJs": old})


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"severity": "TERRIBLE"}, "Unknown alarm severity 'TERRIBLE'; expected one of CRITICAL, MAJOR"),
        ({"severity": "${severity}"}, "Unknown alarm severity"),
        ({"alarmType": ""}, "The alarm type is empty"),
        ({"alarmType": "x" * 256}, "The alarm type has 256 characters"),
        ({"scriptLang": "COBOL"}, "Unknown script language"),
        ({"relationTypes": "Contains"}, "relationTypes"),
    ],
)
def test_settings_that_cannot_be_used_are_refused_with_a_sentence(change: dict, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        made(CreateAlarm, {**EXPORTED, **change})
