"""Unassign from customer: an originator is nobody's; a dashboard leaves one of its customers."""

from rules.node.deeds import Target
from rules.nodes.action.unassign_from_customer import UnassignFromCustomer
from tests.rules.nodes.context import DEVICE, World, entity, message
from tests.rules.nodes.running import failed, made, relations, run_one
from thingsboard.kernel.ids import EntityType

DASHBOARD = entity(9, EntityType.DASHBOARD)


def test_a_new_one_names_no_customer() -> None:
    assert UnassignFromCustomer.defaults() == {"customerNamePattern": ""}


def test_the_title_counts_for_dashboards_alone(world: World) -> None:
    node = made(UnassignFromCustomer, {"customerNamePattern": "${owner}"})
    messages = [message({}, owner="Cafe"), message({}, originator=DASHBOARD, owner="Cafe")]
    assert relations(node.run(world, messages)) == ["Success", "Success"]
    assert world.deeds.done == [
        ("unassign", DEVICE, None),
        ("unassign", DASHBOARD, Target(EntityType.CUSTOMER, "Cafe")),
    ]


def test_a_dashboard_needs_a_title(world: World) -> None:
    why = failed(run_one(made(UnassignFromCustomer), world, message({}, originator=DASHBOARD)))
    assert "Customer title should be specified!" in why and world.deeds.done == []


def test_other_originators_and_what_is_refused_fail(world: World) -> None:
    world.deeds.refused[DEVICE] = ValueError("Customer with title 'x' doesn't exist!")
    node = made(UnassignFromCustomer)
    assert "doesn't exist" in failed(run_one(node, world, message({})))
    tenant = message({}, originator=entity(1, EntityType.TENANT))
    assert failed(run_one(node, world, tenant)).startswith("Unsupported originator type 'TENANT'!")


def test_the_cache_of_version_0_is_dropped() -> None:
    assert UnassignFromCustomer.upgrade(0, {"customerCacheExpiration": 300, "customerNamePattern": "C"}) == {
        "customerNamePattern": "C"
    }
    assert UnassignFromCustomer.VERSION == 1
