"""Delete relation: one with an entity that is found by its name, or all of a type and direction."""

import pytest

from rules.node.deeds import Target
from rules.nodes.action.delete_relation import DeleteRelation
from tests.rules.nodes.context import DEVICE, World, entity, message
from tests.rules.nodes.running import failed, made, relations
from thingsboard.kernel.ids import EntityType


def test_a_new_one_deletes_all_that_the_originator_contains(world: World) -> None:
    assert DeleteRelation.defaults() == {
        "direction": "FROM",
        "relationType": "Contains",
        "entityType": None,
        "entityNamePattern": "",
        "entityTypePattern": None,
        "deleteForSingleEntity": False,
    }
    assert relations(made(DeleteRelation, DeleteRelation.defaults()).run(world, [message({})])) == ["Success"]
    assert world.deeds.done == [("unrelate", DEVICE, "FROM", "Contains", None)]


def test_one_certain_entity_is_named_by_each_message(world: World) -> None:
    config = {"deleteForSingleEntity": True, "entityType": "USER", "entityNamePattern": "$[mail]", "direction": "TO"}
    node = made(DeleteRelation, {**config, "relationType": "${how}"})
    world.deeds.refused[entity(2)] = ValueError("User with email 'b@x' doesn't exist!")
    messages = [message({"mail": "a@x"}, how="Owns"), message({"mail": "b@x"}, originator=entity(2), how="Owns")]
    outcomes = node.run(world, messages)
    assert (
        relations(outcomes) == ["Success", "Failure"] and failed(outcomes[1]) == "User with email 'b@x' doesn't exist!"
    )
    assert world.deeds.done == [("unrelate", DEVICE, "TO", "Owns", Target(EntityType.USER, "a@x"))]


def test_a_type_that_can_be_no_end_is_refused_where_it_counts() -> None:
    made(DeleteRelation, {"entityType": "ALARM"})
    with pytest.raises(ValueError, match="Unsupported entity type 'ALARM'"):
        made(DeleteRelation, {"entityType": "ALARM", "deleteForSingleEntity": True})


def test_in_version_0_the_directions_had_each_others_meaning() -> None:
    assert DeleteRelation.upgrade(0, {"direction": "TO", "entityCacheExpiration": 1}) == {"direction": "FROM"}
    assert DeleteRelation.VERSION == 1
