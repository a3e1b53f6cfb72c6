"""Customer attributes: those of the customer that the originator is assigned to."""

import pytest

from rules.nodes.enrichment.customer_attributes import CustomerAttributes
from telemetry.points import Attribute, Scope
from tests.rules.nodes.context import CUSTOMER, DEVICE, World, device, entity, message
from tests.rules.nodes.running import failed, made
from thingsboard.kernel.ids import EntityId, EntityType

BISTRO = EntityId(EntityType.CUSTOMER, CUSTOMER)
NOBODYS, GONE = entity(2), entity(3)


@pytest.fixture
def world() -> World:
    world = World()
    world.known = {DEVICE: device(), NOBODYS: device()._replace(customer_id=None)}
    world.stored_attributes[BISTRO, Scope.SERVER] = {"alarmThreshold": Attribute("alarmThreshold", Scope.SERVER, 7, 1)}
    return world


def test_the_customer_of_each_originator_is_looked_up_at_once(world: World) -> None:
    messages = [message({}, originator=each) for each in (DEVICE, NOBODYS, GONE, BISTRO)]
    mine, nobodys, gone, its_own = made(CustomerAttributes).run(world, messages)
    assert mine.msg.metadata == {"threshold": "7"} == its_own.msg.metadata
    assert mine.relation == its_own.relation == "Success"
    assert failed(nobodys) == "Originator is not assigned to any customer"
    assert failed(gone) == "Originator not found"
    assert world.asked == ["describe", "attributes"]


def test_nobody_is_asked_for_values_where_there_is_no_customer(world: World) -> None:
    (outcome,) = made(CustomerAttributes).run(world, [message({}, originator=NOBODYS)])
    assert failed(outcome) and world.asked == ["describe"]


def test_version_0_is_taken_in() -> None:
    upgraded = CustomerAttributes.upgrade(0, {"telemetry": "true", "attrMapping": {"t": "u"}})
    assert upgraded == {"dataToFetch": "LATEST_TELEMETRY", "dataMapping": {"t": "u"}, "fetchTo": "METADATA"}
