"""Delete key-value pairs: of body or metadata, by patterns of keys."""

import pytest

from rules.nodes.transformation.delete_keys import DeleteKeys
from tests.rules.nodes.context import World, message
from tests.rules.nodes.running import failed, made, relations, run_one


def test_keys_of_the_body_are_deleted(world: World) -> None:
    node = made(DeleteKeys, {"deleteFrom": "DATA", "keys": ["temp", "hum.*"]})
    outcome = run_one(node, world, message({"temp": 1, "temperature": 2, "humidity": 3}, humidity="4", stored=True))
    assert outcome.relation == "Success" and not outcome.msg.stored
    assert (outcome.msg.data.value, outcome.msg.metadata) == ({"temperature": 2}, {"humidity": "4"})


def test_keys_of_the_metadata_are_deleted_whatever_the_body_is(world: World) -> None:
    node = made(DeleteKeys, {"deleteFrom": "METADATA", "keys": ["(?!ts$).*"]})
    outcome = run_one(node, world, message(raw=b"no json", ts="5", deviceName="A"))
    assert (outcome.relation, outcome.msg.metadata, outcome.msg.data.raw) == ("Success", {"ts": "5"}, b"no json")


@pytest.mark.parametrize("source", ["DATA", "METADATA"])
@pytest.mark.parametrize("body", [{"x": 1}, [1], "text", 7])
def test_where_nothing_is_to_be_deleted_the_message_stays_as_it_came(world: World, source: str, body: object) -> None:
    stored = message(body, deviceName="A", stored=True)
    assert run_one(made(DeleteKeys, {"deleteFrom": source, "keys": ["t"]}), world, stored) == ("Success", stored, "")


def test_a_batch_has_an_outcome_for_each_and_only_a_broken_body_fails(world: World) -> None:
    outcomes = made(DeleteKeys, {"keys": ["t"]}).run(world, [message({"t": 1}), message(raw=b"{"), message({"a": 2})])
    assert relations(outcomes) == ["Success", "Failure", "Success"]
    assert (outcomes[0].msg.data.value, outcomes[2].msg.data.value) == ({}, {"a": 2})
    assert failed(outcomes[1])


def test_older_versions_said_otherwise_from_where() -> None:
    assert DeleteKeys.upgrade(0, {"fromMetadata": "true", "keys": []}) == {"deleteFrom": "METADATA", "keys": []}
    assert DeleteKeys.upgrade(1, {"dataToFetch": "DATA", "keys": []}) == {"deleteFrom": "DATA", "keys": []}
    with pytest.raises(ValueError, match="version 1 has no dataToFetch"):
        DeleteKeys.upgrade(1, {"fromMetadata": "true"})
    with pytest.raises(ValueError, match="dataToFetch has the unexpected value 'BODY'; expected DATA or METADATA"):
        DeleteKeys.upgrade(1, {"dataToFetch": "BODY"})
