"""Save attributes: in which scope, who hears of it, and what is skipped."""

import pytest

from rules.nodes.action.save_attributes import SaveAttributes
from telemetry.points import Json, Scope
from tests.rules.nodes.context import CAME, DEVICE, World, message
from tests.rules.nodes.running import failed, made, relations, run_one

EXPORTED = {
    "processingSettings": {"type": "ON_EVERY_MESSAGE"},
    "scope": "CLIENT_SCOPE",
    "notifyDevice": False,
    "sendAttributesUpdatedNotification": False,
    "updateAttributesOnlyOnValueChange": True,
}
SHARED = {**EXPORTED, "scope": "SHARED_SCOPE"}
ATTRIBUTES = "POST_ATTRIBUTES_REQUEST"


def test_values_are_saved_in_the_scope_as_devices_send_them(world: World) -> None:
    body = b'{"version": "1.2.3", "n": "7", "j": {"a": 1}, "nothing": null}'
    outcome = run_one(made(SaveAttributes, EXPORTED), world, message(raw=body, type=ATTRIBUTES, notifyDevice="false"))
    assert outcome.relation == "Success"
    ((originator, scope, values, options),) = world.attributes_saved
    assert (originator, scope) == (DEVICE, Scope.CLIENT)
    assert values == {"version": "1.2.3", "n": 7, "j": Json('{"a":1}')}
    assert options == {
        "only_changes": True,
        "notify_device": False,
        "announce": None,
        "store": True,
        "live": True,
        "fields": True,
        "ts": CAME,
    }


def test_the_scope_of_the_metadata_replaces_that_of_the_node(world: World) -> None:
    messages = [message({"a": 1}, ATTRIBUTES, scope=scope) for scope in ("SHARED_SCOPE", "")]
    made(SaveAttributes, EXPORTED).run(world, messages)
    assert [scope for _, scope, _, _ in world.attributes_saved] == [Scope.SHARED, Scope.CLIENT]


def test_a_scope_that_does_not_exist_fails_the_message_alone(world: World) -> None:
    messages = [message({"a": 1}, ATTRIBUTES, scope="MY_SCOPE"), message({"a": 1}, ATTRIBUTES)]
    bad, good = made(SaveAttributes, EXPORTED).run(world, messages)
    assert "Invalid scope: MY_SCOPE; expected CLIENT_SCOPE" in failed(bad)
    assert good.relation == "Success"
    assert len(world.attributes_saved) == 1


@pytest.mark.parametrize(
    ("configuration", "metadata", "hears"),
    [
        (SHARED, {}, True),
        (SHARED, {"notifyDevice": ""}, True),
        (SHARED, {"notifyDevice": "TRUE"}, True),
        (SHARED, {"notifyDevice": "false"}, False),
        ({**SHARED, "notifyDevice": True}, {"notifyDevice": "false"}, True),
        ({**SHARED, "scope": "SERVER_SCOPE", "notifyDevice": True}, {}, False),
        ({**SHARED, "scope": "SERVER_SCOPE"}, {"scope": "SHARED_SCOPE"}, True),
    ],
)
def test_devices_hear_of_shared_attributes(world: World, configuration: dict, metadata: dict, hears: bool) -> None:
    run_one(made(SaveAttributes, configuration), world, message({"a": 1}, ATTRIBUTES, **metadata))
    assert world.attributes_saved[0][3]["notify_device"] is hears


@pytest.mark.parametrize(
    ("scope", "announce"),
    [("SHARED_SCOPE", {"scope": "SHARED_SCOPE"}), ("SERVER_SCOPE", {"scope": "SERVER_SCOPE"}), ("CLIENT_SCOPE", None)],
)
def test_the_rules_hear_of_all_but_client_attributes(world: World, scope: str, announce: dict | None) -> None:
    node = made(SaveAttributes, {**EXPORTED, "scope": scope, "sendAttributesUpdatedNotification": True})
    run_one(node, world, message({"a": 1}, ATTRIBUTES))
    assert world.attributes_saved[0][3]["announce"] == announce


@pytest.mark.parametrize(("configured", "only"), [(True, True), (False, False), (None, False)])
def test_what_has_the_same_value_already_is_left_alone_where_that_is_wanted(
    world: World, configured: bool | None, only: bool
) -> None:
    node = made(SaveAttributes, {**EXPORTED, "updateAttributesOnlyOnValueChange": configured})
    run_one(node, world, message({"a": 1}, ATTRIBUTES))
    assert world.attributes_saved[0][3]["only_changes"] is only


def test_a_body_without_a_value_changes_nothing_and_succeeds(world: World) -> None:
    outcomes = made(SaveAttributes, EXPORTED).run(
        world, [message(raw=raw, type=ATTRIBUTES) for raw in (b"{}", b'{"a":null}')]
    )
    assert (relations(outcomes), world.attributes_saved) == (["Success", "Success"], [])


@pytest.mark.parametrize(
    ("raw", "type", "why"),
    [
        (b'{"a":1}', "POST_TELEMETRY_REQUEST", "Unsupported msg type: POST_TELEMETRY_REQUEST"),
        (b"[1]", ATTRIBUTES, "Expected a JSON object of attributes."),
        (b"{broken", ATTRIBUTES, "Not valid JSON"),
        (b'{"":1}', ATTRIBUTES, "A key must not be empty."),
    ],
)
def test_what_cannot_be_saved_fails_alone(world: World, raw: bytes, type: str, why: str) -> None:
    good, bad, good_too = made(SaveAttributes, EXPORTED).run(
        world, [message({"a": 1}, ATTRIBUTES), message(raw=raw, type=type), message({"b": 1}, ATTRIBUTES)]
    )
    assert why in failed(bad)
    assert relations([good, good_too]) == ["Success", "Success"]
    assert [values for _, _, values, _ in world.attributes_saved] == [{"a": 1}, {"b": 1}]


def test_what_ingest_stored_already_goes_on(world: World) -> None:
    stored = message({"a": 1}, ATTRIBUTES, stored=True)
    outcome = run_one(made(SaveAttributes, EXPORTED), world, stored)
    assert (outcome.relation, outcome.msg, world.attributes_saved) == ("Success", stored, [])


@pytest.mark.parametrize(
    "change",
    [
        {"scope": "SHARED_SCOPE"},
        {"updateAttributesOnlyOnValueChange": False},
        {"processingSettings": {"type": "WEBSOCKETS_ONLY"}},
    ],
)
def test_what_ingest_stored_otherwise_than_the_node_would_is_saved(world: World, change: dict) -> None:
    run_one(made(SaveAttributes, {**EXPORTED, **change}), world, message({"a": 1}, ATTRIBUTES, stored=True))
    assert len(world.attributes_saved) == 1


def test_what_is_there_is_asked_for_once_for_all_messages(world: World) -> None:
    made(SaveAttributes, EXPORTED).run(world, [message({key: 1}, ATTRIBUTES) for key in "abc"])
    assert world.asked == ["attributes"]


def test_deduplicating_saves_the_first_of_an_interval_that_has_a_value(world: World) -> None:
    settings = {"type": "DEDUPLICATE", "deduplicationIntervalSecs": 60}
    node = made(SaveAttributes, {**EXPORTED, "processingSettings": settings})
    outcomes = node.run(world, [message(body, ATTRIBUTES, ts="5") for body in ({}, {"a": 1}, {"a": 2})])
    assert set(relations(outcomes)) == {"Success"}
    assert [values for _, _, values, _ in world.attributes_saved] == [{"a": 1}]
    assert world.asked.count("first_in_interval") == 1


@pytest.mark.parametrize(
    ("settings", "where"),
    [
        ({"type": "WEBSOCKETS_ONLY"}, (False, True, False)),
        (
            {
                "type": "ADVANCED",
                "attributes": {"type": "ON_EVERY_MESSAGE"},
                "webSockets": {"type": "SKIP"},
                "calculatedFields": {"type": "DEDUPLICATE", "deduplicationIntervalSecs": 10},
            },
            (True, False, True),
        ),
    ],
)
def test_settings_decide_for_each_action(world: World, settings: dict, where: tuple) -> None:
    run_one(made(SaveAttributes, {**EXPORTED, "processingSettings": settings}), world, message({"a": 1}, ATTRIBUTES))
    options = world.attributes_saved[0][3]
    assert (options["store"], options["live"], options["fields"]) == where


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"scope": "MY_SCOPE"}, "Invalid scope: MY_SCOPE"),
        ({"notifyDevice": "perhaps"}, "notifyDevice"),
        ({"processingSettings": {"type": "ADVANCED", "attributes": {"type": "DEDUPLICATE"}}}, "interval is 0 s"),
    ],
)
def test_settings_that_cannot_be_used_are_refused_with_a_sentence(change: dict, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        made(SaveAttributes, {**EXPORTED, **change})


@pytest.mark.parametrize(
    ("version", "old", "new"),
    [
        (0, {}, (True, False, False)),
        (0, {"updateAttributesOnlyOnValueChange": True, "notifyDevice": "false"}, (False, False, True)),
        (1, {"notifyDevice": None}, (True, False, True)),
        (1, {"notifyDevice": "true", "sendAttributesUpdatedNotification": "true"}, (True, True, True)),
        (1, {"notifyDevice": "false", "updateAttributesOnlyOnValueChange": "false"}, (False, False, False)),
        (2, {"notifyDevice": False, "updateAttributesOnlyOnValueChange": True}, (False, False, True)),
    ],
)
def test_older_versions_are_upgraded_as_thingsboard_does(version: int, old: dict, new: tuple) -> None:
    raw = {"scope": "SHARED_SCOPE", **old}
    config = made(SaveAttributes, raw, version=version).config
    assert (
        config.notify_device,
        config.send_attributes_updated_notification,
        config.update_attributes_only_on_value_change,
    ) == new
    assert config.scope == "SHARED_SCOPE"
    assert raw == {"scope": "SHARED_SCOPE", **old}
    assert SaveAttributes.upgrade(version, raw)["processingSettings"] == {"type": "ON_EVERY_MESSAGE"}
    assert SaveAttributes.upgrade(3, EXPORTED) == EXPORTED
