"""Check relation presence: from or to the originator, to somebody or to anybody."""

import pytest

from rules.nodes.filter.check_relation_presence import CheckRelationPresence
from tests.rules.nodes.context import DEVICE, World, entity, message
from tests.rules.nodes.running import made, relations, run_one
from thingsboard.kernel.ids import EntityType

ASSET = entity(9, EntityType.ASSET)
TO_ONE = {
    "checkForSingleEntity": True,
    "direction": "FROM",
    "entityType": "ASSET",
    "entityId": str(ASSET.id),
    "relationType": "Contains",
}
TO_ANY = {**TO_ONE, "checkForSingleEntity": False, "entityType": None, "entityId": None}


def test_from_means_that_the_relation_leads_from_the_originator(world: World) -> None:
    world.relations = {(DEVICE, "Contains", ASSET)}
    assert run_one(made(CheckRelationPresence, TO_ONE), world, message({})).relation == "True"
    assert run_one(made(CheckRelationPresence, {**TO_ONE, "direction": "TO"}), world, message({})).relation == "False"


def test_to_means_that_the_relation_leads_to_the_originator(world: World) -> None:
    world.relations = {(ASSET, "Contains", DEVICE)}
    assert run_one(made(CheckRelationPresence, {**TO_ONE, "direction": "TO"}), world, message({})).relation == "True"
    assert run_one(made(CheckRelationPresence, TO_ONE), world, message({})).relation == "False"


def test_another_type_or_another_entity_does_not_count(world: World) -> None:
    world.relations = {(DEVICE, "Manages", ASSET), (DEVICE, "Contains", entity(8, EntityType.ASSET))}
    assert run_one(made(CheckRelationPresence, TO_ONE), world, message({})).relation == "False"


def test_to_anybody_any_entity_counts_and_all_originators_are_asked_for_once(world: World) -> None:
    world.relations = {(DEVICE, "Contains", entity(8, EntityType.ASSET))}
    messages = [message({}), message({}, originator=entity(2)), message({})]
    assert relations(made(CheckRelationPresence, TO_ANY).run(world, messages)) == ["True", "False", "True"]
    assert world.asked == ["related"]


def test_in_version_0_the_directions_were_the_other_way_round(world: World) -> None:
    world.relations = {(DEVICE, "Contains", ASSET)}
    assert (
        run_one(made(CheckRelationPresence, {**TO_ONE, "direction": "TO"}, version=0), world, message({})).relation
        == "True"
    )
    assert run_one(made(CheckRelationPresence, TO_ONE, version=0), world, message({})).relation == "False"
    assert CheckRelationPresence.upgrade(1, TO_ONE) == TO_ONE
    with pytest.raises(ValueError, match="expected FROM or TO"):
        CheckRelationPresence.upgrade(0, {"relationType": "Contains"})


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"entityId": None}, "Entity should be specified!"),
        ({"entityType": ""}, "Entity should be specified!"),
        ({"entityId": "not an id"}, "Invalid UUID string: not an id"),
        ({"entityType": "SPACESHIP"}, "Unknown entityType 'SPACESHIP'"),
        ({"direction": "SIDEWAYS"}, "Unknown direction 'SIDEWAYS'; expected FROM or TO"),
        ({"relationType": " "}, "The relation type is empty"),
    ],
)
def test_what_cannot_be_looked_for_is_refused_with_a_sentence(change: dict, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        made(CheckRelationPresence, {**TO_ONE, **change})


def test_a_new_node_waits_for_its_entity() -> None:
    with pytest.raises(ValueError, match="Entity should be specified!"):
        made(CheckRelationPresence, CheckRelationPresence.defaults())
