"""Customer details: how the customer of the originator is reached."""

import pytest

from rules.node import EntityFields
from rules.nodes.enrichment.customer_details import CustomerDetails
from tests.rules.nodes.context import CUSTOMER, DEVICE, World, device, entity, message
from tests.rules.nodes.running import failed, made
from thingsboard.kernel.ids import EntityId, EntityType

BISTRO = EntityId(EntityType.CUSTOMER, CUSTOMER)
NOBODYS, GONE, VIEW = entity(2), entity(3), entity(4, EntityType.ENTITY_VIEW)


@pytest.fixture
def world() -> World:
    world = World()
    mine = device()
    world.known = {DEVICE: mine, NOBODYS: mine._replace(customer_id=None), VIEW: mine._replace(customer_id=None)}
    world.known[BISTRO] = EntityFields("Bistro", "", "", None, None, {"title": "Bistro", "email": "b@bistro.example"})
    return world


def test_the_customer_of_each_originator_is_looked_up_at_once(world: World) -> None:
    node = made(CustomerDetails, {"detailsList": ["TITLE", "EMAIL", "PHONE"]})
    messages = [message({}, originator=each) for each in (DEVICE, NOBODYS, VIEW, BISTRO, GONE)]
    mine, nobodys, view, customer, gone = node.run(world, messages)
    assert mine.msg.data.value == {"customer_title": "Bistro", "customer_email": "b@bistro.example"}
    assert failed(nobodys) == "Device with name 'Thermostat T1' is not assigned to Customer!"
    assert failed(view) == "Entity View with name 'Thermostat T1' is not assigned to Customer!"
    assert failed(customer) == "Entity with entityType 'CUSTOMER' is not supported."
    assert (gone.relation, gone.msg) == ("Success", messages[4])
    assert world.asked == ["describe", "describe"]


def test_version_0_had_a_truth_value_for_the_place() -> None:
    assert CustomerDetails.upgrade(0, {"addToMetadata": True}) == {"fetchTo": "METADATA"}
