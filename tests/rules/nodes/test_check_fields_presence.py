"""Check fields presence: all of the names, or any one."""

import pytest

from rules.nodes.filter.check_fields_presence import CheckFieldsPresence
from tests.rules.nodes.context import World, message
from tests.rules.nodes.running import failed, made, run_one

ALL = {"messageNames": ["t", "h"], "metadataNames": ["deviceType"], "checkAllKeys": True}
ANY = {**ALL, "checkAllKeys": False}


@pytest.mark.parametrize(
    ("configuration", "body", "metadata", "relation"),
    [
        (ALL, {"t": 1, "h": 2, "x": 3}, {"deviceType": "a"}, "True"),
        (ALL, {"t": 1}, {"deviceType": "a"}, "False"),
        (ALL, {"t": 1, "h": 2}, {}, "False"),
        (ALL, {"t": None, "h": None}, {"deviceType": ""}, "True"),
        (ANY, {"h": 0}, {}, "True"),
        (ANY, {}, {"deviceType": "a"}, "True"),
        (ANY, {"x": 1}, {"y": "a"}, "False"),
        (ALL, {"a": {"t": 1, "h": 2}}, {"deviceType": "a"}, "False"),
    ],
)
def test_names_are_looked_for_in_body_and_metadata(
    world: World, configuration: dict, body: dict, metadata: dict, relation: str
) -> None:
    outcome = run_one(made(CheckFieldsPresence, configuration), world, message(body, **metadata))
    assert outcome.relation == relation


@pytest.mark.parametrize(("every", "relation"), [(True, "True"), (False, "False")])
def test_of_no_names_all_are_there_but_not_any_one(world: World, every: bool, relation: str) -> None:
    node = made(CheckFieldsPresence, {"messageNames": [], "metadataNames": [], "checkAllKeys": every})
    assert run_one(node, world, message({"t": 1})).relation == relation


def test_a_new_node_wants_all_and_a_saved_one_that_does_not_say_wants_any(world: World) -> None:
    assert CheckFieldsPresence.defaults()["checkAllKeys"] is True
    node = made(CheckFieldsPresence, {"messageNames": ["t", "h"], "metadataNames": []})
    assert run_one(node, world, message({"t": 1})).relation == "True"


@pytest.mark.parametrize("raw", [b"[1]", b"7", b"null", b"{broken"])
def test_a_body_that_is_no_object_fails_where_names_are_looked_for_in_it(world: World, raw: bytes) -> None:
    assert failed(run_one(made(CheckFieldsPresence, ANY), world, message(raw=raw, deviceType="a")))
    node = made(CheckFieldsPresence, {"metadataNames": ["deviceType"], "checkAllKeys": True})
    assert run_one(node, world, message(raw=raw, deviceType="a")).relation == "True"
