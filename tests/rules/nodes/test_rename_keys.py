"""Rename keys: of body or metadata, by a mapping."""

import pytest

from rules.nodes.transformation.rename_keys import RenameKeys
from tests.rules.nodes.context import World, message
from tests.rules.nodes.running import failed, made, relations, run_one

MAPPING = {"t": "temperature", "h": "humidity"}


def test_keys_of_the_body_get_their_new_names(world: World) -> None:
    node = made(RenameKeys, {"renameIn": "DATA", "renameKeysMapping": MAPPING})
    outcome = run_one(node, world, message({"t": [1], "temperature": 9, "x": 2}, t="3", stored=True))
    assert (outcome.relation, outcome.msg.stored) == ("Success", False)
    assert (outcome.msg.data.value, outcome.msg.metadata) == ({"temperature": [1], "x": 2}, {"t": "3"})


def test_keys_of_the_metadata_get_their_new_names(world: World) -> None:
    node = made(RenameKeys, {"renameIn": "METADATA", "renameKeysMapping": MAPPING})
    outcome = run_one(node, world, message(raw=b"no json", t="3", x="4"))
    assert (outcome.msg.metadata, outcome.msg.data.raw) == ({"temperature": "3", "x": "4"}, b"no json")


def test_what_was_renamed_may_be_renamed_again_and_a_name_may_stay(world: World) -> None:
    node = made(RenameKeys, {"renameKeysMapping": {"a": "b", "b": "c", "d": "d"}})
    assert run_one(node, world, message({"a": 1, "d": 2})).msg.data.value == {"c": 1, "d": 2}


@pytest.mark.parametrize("body", [{"x": 1}, [1], "text"])
def test_where_no_name_is_there_the_message_stays_as_it_came(world: World, body: object) -> None:
    stored = message(body, stored=True)
    assert run_one(made(RenameKeys, {"renameKeysMapping": MAPPING}), world, stored) == ("Success", stored, "")


def test_a_batch_has_an_outcome_for_each_and_only_a_broken_body_fails(world: World) -> None:
    node = made(RenameKeys, {"renameKeysMapping": MAPPING})
    outcomes = node.run(world, [message({"t": 1}), message(raw=b"{"), message({"h": 2})])
    assert relations(outcomes) == ["Success", "Failure", "Success"]
    assert outcomes[2].msg.data.value == {"humidity": 2}
    assert failed(outcomes[1])


@pytest.mark.parametrize("configuration", [{}, {"renameKeysMapping": {}}])
def test_a_node_without_names_cannot_work(configuration: dict) -> None:
    with pytest.raises(ValueError, match="At least one mapping entry"):
        made(RenameKeys, configuration)


def test_older_versions_said_otherwise_where() -> None:
    assert RenameKeys.upgrade(0, {"fromMetadata": "false"}) == {"renameIn": "DATA"}
    assert RenameKeys.upgrade(1, {"fromMetadata": "METADATA"}) == {"renameIn": "METADATA"}
