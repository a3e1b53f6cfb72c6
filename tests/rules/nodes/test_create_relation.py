"""Create relation: the originator and an entity that is found by its name."""

import uuid
from typing import Any

import pytest

from rules.node.deeds import Target
from rules.nodes.action.create_relation import CreateRelation
from tests.rules.nodes.context import CUSTOMER, DEVICE, World, entity, message
from tests.rules.nodes.running import failed, made, relations, run_one
from thingsboard.kernel.ids import EntityType

ASSET = entity(5, EntityType.ASSET)
TO_ASSET = {"entityType": "ASSET", "entityNamePattern": "${house}"}


def test_a_new_one_relates_to_nobody_yet() -> None:
    assert CreateRelation.defaults() == {
        "direction": "FROM",
        "relationType": "Contains",
        "entityType": None,
        "entityNamePattern": "",
        "entityTypePattern": None,
        "createEntityIfNotExists": False,
        "changeOriginatorToRelatedEntity": False,
        "removeCurrentRelations": False,
    }
    with pytest.raises(ValueError, match="Unsupported entity type 'null'! Only TENANT, DEVICE, ASSET, CUSTOMER"):
        made(CreateRelation)


def test_type_and_names_are_those_of_each_message(world: World) -> None:
    world.deeds.known = {"House 1": ASSET, "House 2": ASSET}
    config = {**TO_ASSET, "relationType": "$[how]", "entityTypePattern": "${kind}", "direction": "TO"}
    node = made(CreateRelation, {**config, "createEntityIfNotExists": True, "removeCurrentRelations": True})
    messages = [
        message({"how": "Manages"}, house="House 1", kind="villa"),
        message({"how": "Feeds"}, house="House 2", kind="hut", ruleNodeId="some"),
    ]
    outcomes = node.run(world, messages)
    assert relations(outcomes) == ["Success", "Success"] and [each.msg for each in outcomes] == messages
    one, other = (
        Target(EntityType.ASSET, f"House {number}", kind, True) for number, kind in ((1, "villa"), (2, "hut"))
    )
    assert world.deeds.done == [
        ("relate", DEVICE, "TO", "Manages", one, True, True),
        ("relate", DEVICE, "TO", "Feeds", other, True, False),
    ]


def test_the_message_may_go_on_as_one_of_the_other_entity(world: World) -> None:
    world.deeds.known = {"House": ASSET, "Cafe": entity(6, EntityType.CUSTOMER)}
    node = made(CreateRelation, {**TO_ASSET, "changeOriginatorToRelatedEntity": True})
    outcome: Any = run_one(node, world, message({}, house="House"))
    assert (outcome.msg.originator, outcome.msg.customer_id) == (ASSET, CUSTOMER)
    node = made(CreateRelation, {**TO_ASSET, "entityType": "CUSTOMER", "changeOriginatorToRelatedEntity": True})
    nobodys = message({}, house="Cafe")._replace(customer_id=None)
    outcome = run_one(node, world, nobodys)
    assert outcome.msg.customer_id == uuid.UUID(int=entity(6).id.int)


def test_the_tenant_has_no_name(world: World) -> None:
    world.deeds.known = {"": entity(7, EntityType.TENANT)}
    node = made(CreateRelation, {"entityType": "TENANT", "entityNamePattern": "$[broken]"})
    assert relations(node.run(world, [message(raw=b"{nonsense")])) == ["Success"]
    assert world.deeds.done == [("relate", DEVICE, "FROM", "Contains", Target(EntityType.TENANT), False, True)]


def test_what_is_refused_fails_that_message_alone(world: World) -> None:
    world.deeds.known = {"House": ASSET}
    world.deeds.refused[entity(2)] = ValueError("Asset with name 'House' doesn't exist!")
    messages = [
        message({}, house="House"),
        message({}, originator=entity(2), house="House"),
        message({}, house="House"),
    ]
    outcomes = made(CreateRelation, TO_ASSET).run(world, messages)
    assert relations(outcomes) == ["Success", "Failure", "Success"] and len(world.deeds.done) == 2
    assert failed(outcomes[1]) == "Asset with name 'House' doesn't exist!"


@pytest.mark.parametrize(("config", "why"), [({"direction": "UP"}, "direction"), ({"entityType": "ALARM"}, "'ALARM'")])
def test_what_cannot_be_is_refused_when_the_node_is_made(config: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        made(CreateRelation, {**TO_ASSET, **config})


def test_in_version_0_the_directions_had_each_others_meaning() -> None:
    old = {**TO_ASSET, "entityCacheExpiration": 300}
    assert CreateRelation.upgrade(0, {**old, "direction": "TO"}) == {**TO_ASSET, "direction": "FROM"}
    assert CreateRelation.upgrade(0, {**old, "direction": "FROM"}) == {**TO_ASSET, "direction": "TO"}
    assert CreateRelation.upgrade(0, {"direction": "TO"}) == {
        "direction": "TO"
    }  # upgraded by hand, as ThingsBoard has it
    for broken, why in (({}, "doesn't exists"), ({"direction": "UP"}, "invalid value")):
        with pytest.raises(ValueError, match=why):
            CreateRelation.upgrade(0, {**old, **broken})
