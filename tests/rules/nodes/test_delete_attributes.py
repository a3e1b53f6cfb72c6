"""Delete attributes: names with templates, in the scope of the node or the metadata."""

import pytest

from rules.nodes.action.delete_attributes import DeleteAttributes
from telemetry.points import Scope
from tests.rules.nodes.context import DEVICE, World, entity, message
from tests.rules.nodes.running import failed, made, relations, run_one


def test_a_new_one_deletes_nothing(world: World) -> None:
    assert DeleteAttributes.defaults() == {
        "scope": "SERVER_SCOPE",
        "keys": [],
        "sendAttributesDeletedNotification": False,
        "notifyDevice": False,
    }
    assert relations(made(DeleteAttributes).run(world, [message({})])) == ["Success"]
    assert world.deeds.done == []


def test_names_are_those_of_each_message_each_once_and_none_empty(world: World) -> None:
    node = made(DeleteAttributes, {"keys": ["${name}", "old", " ", "old", "$[key]"]})
    messages = [message({"key": "a"}, name="x"), message({"key": "old"}, originator=entity(2), name="")]
    assert relations(node.run(world, messages)) == ["Success", "Success"]
    assert world.deeds.done == [
        ("delete attributes", DEVICE, Scope.SERVER, ["x", "old", "a"], False, False),
        ("delete attributes", entity(2), Scope.SERVER, ["old"], False, False),
    ]


def test_the_metadata_name_another_scope_and_have_the_device_hear_of_shared_ones(world: World) -> None:
    node = made(DeleteAttributes, {"keys": ["a"]})
    always = made(DeleteAttributes, {"keys": ["a"], "notifyDevice": True, "scope": "CLIENT_SCOPE"})
    node.run(world, [message({}, scope="SHARED_SCOPE"), message({}, scope="SHARED_SCOPE", notifyDevice="true")])
    node.run(world, [message({}, scope="CLIENT_SCOPE", notifyDevice="true")])
    always.run(world, [message({}), message({}, scope="SHARED_SCOPE")])
    assert [each[2:5:2] for each in world.deeds.done] == [
        (Scope.SHARED, False),
        (Scope.SHARED, True),
        (Scope.CLIENT, False),
        (Scope.CLIENT, False),
        (Scope.SHARED, True),
    ]


def test_the_rules_hear_of_it_where_wanted_but_not_because_of_what_a_node_caused(world: World) -> None:
    node = made(DeleteAttributes, {"keys": ["a"], "sendAttributesDeletedNotification": True})
    node.run(world, [message({}), message({}, ruleNodeId="some")])
    assert [each[-1] for each in world.deeds.done] == [True, False]


def test_an_unknown_scope_fails_the_message_or_the_node(world: World) -> None:
    node = made(DeleteAttributes, {"keys": ["a"]})
    assert "ODD_SCOPE" in failed(run_one(node, world, message({}, scope="ODD_SCOPE")))
    with pytest.raises(ValueError, match="ODD_SCOPE"):
        made(DeleteAttributes, {"scope": "ODD_SCOPE"})
    world.deeds.refused[DEVICE] = ValueError("No.")
    assert failed(run_one(node, world, message({}))) == "No."
