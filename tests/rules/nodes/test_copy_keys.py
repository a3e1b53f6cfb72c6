"""Copy key-value pairs: from body to metadata or back, by patterns of keys."""

import pytest

from rules.nodes.transformation.copy_keys import CopyKeys
from tests.rules.nodes.context import World, message
from tests.rules.nodes.running import failed, made, relations, run_one


def test_keys_of_the_body_become_metadata_as_text(world: World) -> None:
    body = {"t": 25.5, "n": 1e7, "i": 3, "on": True, "none": None, "s": "x", "o": {"a": [1]}, "other": 1}
    node = made(CopyKeys, {"copyFrom": "DATA", "keys": ["t", "n", "i", "on", "none", "s", "o"]})
    outcome = run_one(node, world, message(body, ts="5", s="old"))
    assert outcome.relation == "Success" and outcome.msg.data.value == body
    assert outcome.msg.metadata == {
        "ts": "5",
        "t": "25.5",
        "n": "1.0E7",
        "i": "3",
        "on": "true",
        "none": "null",
        "s": "x",
        "o": '{"a":[1]}',
    }


def test_keys_of_the_metadata_become_members_of_the_body_as_text(world: World) -> None:
    node = made(CopyKeys, {"copyFrom": "METADATA", "keys": ["device.*"]})
    outcome = run_one(node, world, message({"t": 1, "deviceName": 7}, deviceName="A", deviceType="b", ts="5"))
    assert outcome.msg.data.value == {"t": 1, "deviceName": "A", "deviceType": "b"}
    assert outcome.msg.metadata == {"deviceName": "A", "deviceType": "b", "ts": "5"}


@pytest.mark.parametrize("source", ["DATA", "METADATA"])
@pytest.mark.parametrize("body", [[{"t": 1}], "text", 7, None, {"x": 1}])
def test_where_nothing_is_to_be_copied_the_message_stays_as_it_came(world: World, source: str, body: object) -> None:
    node = made(
        CopyKeys,
        {"copyFrom": source, "keys": ["t", "deviceName"]} | ({"keys": ["t"]} if isinstance(body, dict) else {}),
    )
    stored = message(body, deviceName="A", stored=True)
    assert run_one(node, world, stored) == ("Success", stored, "")


def test_a_batch_has_an_outcome_for_each_and_only_a_broken_body_fails(world: World) -> None:
    node = made(CopyKeys, {"keys": ["t"]})
    outcomes = node.run(world, [message({"t": 1}), message(raw=b"{"), message({"t": 2})])
    assert relations(outcomes) == ["Success", "Failure", "Success"]
    assert [outcome.msg.metadata.get("t") for outcome in outcomes] == ["1", None, "2"]
    assert failed(outcomes[1])


def test_a_pattern_that_takes_too_long_fails_the_message_that_has_the_key(world: World) -> None:
    node = made(CopyKeys, {"keys": ["(.*?,){12}P"]})
    slow, quick = node.run(world, [message({"1," * 40: 1}), message({"a,": 1})])
    assert "take too long" in failed(slow) and quick.relation == "Success"


def test_a_pattern_that_is_none_is_refused_when_the_node_is_made() -> None:
    with pytest.raises(ValueError, match="not a regular expression"):
        made(CopyKeys, {"keys": ["("]})


@pytest.mark.parametrize("version", [0, 1])
def test_older_versions_said_otherwise_from_where(version: int) -> None:
    values = {0: ("true", "false", True), 1: ("METADATA", "DATA", "METADATA")}[version]
    upgraded = [CopyKeys.upgrade(version, {"fromMetadata": value, "keys": ["t"]}) for value in values]
    assert upgraded == [{"copyFrom": source, "keys": ["t"]} for source in ("METADATA", "DATA", "METADATA")]
    assert CopyKeys.upgrade(1, {"copyFrom": "DATA"}) == {"copyFrom": "DATA"}
    with pytest.raises(ValueError, match="fromMetadata has the unexpected value 'perhaps'"):
        CopyKeys.upgrade(version, {"fromMetadata": "perhaps"})
    with pytest.raises(ValueError, match=f"version {version} has no fromMetadata"):
        CopyKeys.upgrade(version, {"keys": []})
