"""Assign to customer: an originator becomes that of a customer, by its title."""

import pytest

from rules.node.deeds import Target
from rules.nodes.action.assign_to_customer import AssignToCustomer
from tests.rules.nodes.context import DEVICE, World, entity, message
from tests.rules.nodes.running import failed, made, relations, run_one
from thingsboard.kernel.errors import LimitExceeded
from thingsboard.kernel.ids import EntityType


def test_a_new_one_creates_no_customer() -> None:
    assert AssignToCustomer.defaults() == {"customerNamePattern": "", "createCustomerIfNotExists": False}


@pytest.mark.parametrize("kind", [EntityType.DEVICE, EntityType.ASSET, EntityType.ENTITY_VIEW, EntityType.DASHBOARD])
def test_each_originator_is_assigned_to_the_customer_of_its_message(world: World, kind: EntityType) -> None:
    node = made(AssignToCustomer, {"customerNamePattern": "${owner} of $[city]", "createCustomerIfNotExists": True})
    one, other = entity(1, kind), entity(2, kind)
    messages = [
        message({"city": "Graz"}, originator=one, owner="Cafe"),
        message({"city": "Linz"}, originator=other, owner="Bar", ruleNodeId="some"),
    ]
    outcomes = node.run(world, messages)
    assert relations(outcomes) == ["Success", "Success"] and [each.msg for each in outcomes] == messages
    # What is made because of a message that a node caused is not announced.
    assert world.deeds.done == [
        ("assign", one, Target(EntityType.CUSTOMER, "Cafe of Graz", create=True), True),
        ("assign", other, Target(EntityType.CUSTOMER, "Bar of Linz", create=True), False),
    ]


def test_what_is_refused_fails_that_message_alone_and_the_others_are_not_done_twice(world: World) -> None:
    bad = entity(2)
    world.deeds.refused[bad] = LimitExceeded("The limit of 1 customers is reached!")
    messages = [message({}), message({}, originator=bad), message({}, originator=entity(3))]
    outcomes = made(AssignToCustomer, {"customerNamePattern": "Cafe"}).run(world, messages)
    assert relations(outcomes) == ["Success", "Failure", "Success"]
    assert failed(outcomes[1]) == "The limit of 1 customers is reached!"
    assert [each[1] for each in world.deeds.done] == [DEVICE, entity(3)]


def test_other_originators_fail(world: World) -> None:
    why = failed(run_one(made(AssignToCustomer), world, message({}, originator=entity(1, EntityType.USER))))
    assert why.startswith("Unsupported originator type 'USER'! Only ASSET, DEVICE, ENTITY_VIEW, DASHBOARD, EDGE types")
    assert world.deeds.done == []


def test_a_template_over_a_body_that_is_no_json_fails(world: World) -> None:
    node = made(AssignToCustomer, {"customerNamePattern": "$[city]"})
    assert failed(run_one(node, world, message(raw=b"{nonsense")))


def test_the_cache_of_version_0_is_dropped() -> None:
    old = {"customerNamePattern": "C", "createCustomerIfNotExists": True, "customerCacheExpiration": 300}
    assert AssignToCustomer.upgrade(0, old) == {"customerNamePattern": "C", "createCustomerIfNotExists": True}
    assert "customerCacheExpiration" in old
