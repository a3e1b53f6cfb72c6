"""Originator attributes: with prefixes, into metadata or body; what is missing is a failure or is not."""

import pytest

from rules.nodes.enrichment.originator_attributes import OriginatorAttributes
from telemetry.points import Attribute, Json, Point, Scope
from tests.rules.nodes.context import DEVICE, World, entity, message
from tests.rules.nodes.running import failed, made, run_one

EXPORTED = {
    "tellFailureIfAbsent": True,
    "fetchTo": "METADATA",
    "clientAttributeNames": ["version"],
    "sharedAttributeNames": ["limit"],
    "serverAttributeNames": ["active", "place"],
    "latestTsKeyNames": ["t"],
    "getLatestValueWithTs": False,
}


@pytest.fixture
def world() -> World:
    world = World()
    for scope, values in {
        Scope.CLIENT: {"version": "1.2"},
        Scope.SHARED: {"limit": 1e7},
        Scope.SERVER: {"active": True, "place": Json('{"room":7}')},
    }.items():
        world.stored_attributes[DEVICE, scope] = {key: Attribute(key, scope, value, 1) for key, value in values.items()}
    world.stored_latest[DEVICE] = {"t": Point(99, 25.5), "j": Point(98, Json("[1,2]"))}
    return world


def test_values_go_into_the_metadata_as_text_with_the_prefixes_of_their_scopes(world: World) -> None:
    outcome = run_one(made(OriginatorAttributes, EXPORTED), world, message({"x": 1}, ts="5"))
    assert outcome.relation == "Success"
    assert outcome.msg.metadata == {
        "ts": "5",
        "cs_version": "1.2",
        "shared_limit": "1.0E7",
        "ss_active": "true",
        "ss_place": '{"room":7}',
        "t": "25.5",
    }
    assert outcome.msg.data.value == {"x": 1}


def test_values_go_into_the_body_as_what_they_are(world: World) -> None:
    outcome = run_one(made(OriginatorAttributes, {**EXPORTED, "fetchTo": "DATA"}), world, message({"x": 1, "t": 0}))
    assert outcome.msg.data.value == {
        "x": 1,
        "cs_version": "1.2",
        "shared_limit": 1e7,
        "ss_active": True,
        "ss_place": {"room": 7},
        "t": 25.5,
    }
    assert outcome.msg.metadata == {}


@pytest.mark.parametrize(
    ("place", "found"),
    [
        ("METADATA", {"t": '{"ts":99,"value":25.5}', "j": '{"ts":98,"value":[1,2]}'}),
        ("DATA", {"t": {"ts": 99, "value": 25.5}, "j": {"ts": 98, "value": [1, 2]}}),
    ],
)
def test_telemetry_comes_with_its_time_where_that_is_wanted(world: World, place: str, found: dict) -> None:
    node = made(OriginatorAttributes, {"latestTsKeyNames": ["t", "j"], "getLatestValueWithTs": True, "fetchTo": place})
    msg = run_one(node, world, message({})).msg
    assert (msg.metadata if place == "METADATA" else msg.data.value) == found


def test_what_is_missing_fails_the_message_which_is_enriched_nevertheless(world: World) -> None:
    absent = {"clientAttributeNames": ["version", "a", "b"], "latestTsKeyNames": ["t", "c"]}
    outcome = run_one(made(OriginatorAttributes, {**EXPORTED, **absent}), world, message({}))
    assert failed(outcome) == (
        "The following attribute/telemetry keys is not present in the DB: \n\t[CLIENT_SCOPE]:[a, b]\n\t[LATEST_TS]:[c]\n"
    )
    assert outcome.msg.metadata["cs_version"] == "1.2" and outcome.msg.metadata["t"] == "25.5"


@pytest.mark.parametrize("lenient", [{"tellFailureIfAbsent": False}, {"tellFailureIfAbsent": None}])
def test_what_is_missing_is_left_out_where_that_is_wanted(world: World, lenient: dict) -> None:
    node = made(OriginatorAttributes, {"clientAttributeNames": ["version", "a"], **lenient})
    outcome = run_one(node, world, message({}))
    assert (outcome.relation, outcome.msg.metadata) == ("Success", {"cs_version": "1.2"})


def test_one_question_a_scope_serves_all_messages_and_their_templates(world: World) -> None:
    other = entity(2)
    world.stored_attributes[other, Scope.SERVER] = {"b": Attribute("b", Scope.SERVER, 2, 1)}
    node = made(OriginatorAttributes, {"serverAttributeNames": ["${key}"], "latestTsKeyNames": ["$[series]"]})
    outcomes = node.run(world, [message({"series": "t"}, key="active"), message({}, key="b", originator=other)])
    assert [outcome.msg.metadata for outcome in outcomes] == [
        {"key": "active", "ss_active": "true", "t": "25.5"},
        {"key": "b", "ss_b": "2"},
    ]
    assert world.asked == ["attributes", "latest"]


def test_nothing_to_add_asks_nothing(world: World) -> None:
    outcome = run_one(made(OriginatorAttributes, OriginatorAttributes.defaults()), world, message({"x": 1}))
    assert (outcome.relation, world.asked) == ("Success", [])


def test_a_body_that_is_no_object_or_no_json_fails_where_it_is_needed(world: World) -> None:
    into_body = made(OriginatorAttributes, {**EXPORTED, "fetchTo": "DATA"})
    assert failed(run_one(into_body, world, message("text"))) == "The message body is not a JSON object."
    template = made(OriginatorAttributes, {"serverAttributeNames": ["$[key]"]})
    broken, good = template.run(world, [message(raw=b"{"), message({"key": "active"})])
    assert failed(broken)
    assert good.msg.metadata == {"ss_active": "true"}


@pytest.mark.parametrize(
    ("old", "place"), [({"fetchToData": True}, "DATA"), ({"fetchToData": "false"}, "METADATA"), ({}, "METADATA")]
)
def test_version_0_said_otherwise_where_values_go(old: dict, place: str) -> None:
    assert OriginatorAttributes.upgrade(0, {**old, "latestTsKeyNames": ["t"]}) == {
        "fetchTo": place,
        "latestTsKeyNames": ["t"],
    }
    with pytest.raises(ValueError, match="fetchToData has the unexpected value 'perhaps'"):
        OriginatorAttributes.upgrade(0, {"fetchToData": "perhaps"})
