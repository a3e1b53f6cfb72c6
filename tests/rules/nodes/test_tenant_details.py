"""Tenant details: how the tenant is reached."""

import pytest

from rules.node import EntityFields
from rules.nodes.enrichment.tenant_details import TenantDetails
from tests.rules.nodes.context import TENANT, World, entity, message
from tests.rules.nodes.running import failed, made, run_one
from thingsboard.kernel.ids import EntityId, EntityType

ALL = ["ID", "TITLE", "COUNTRY", "CITY", "STATE", "ZIP", "ADDRESS", "ADDRESS2", "PHONE", "EMAIL", "ADDITIONAL_INFO"]
FIELDS = {
    "id": str(TENANT), "title": "Acme", "country": "DE", "city": "Ulm", "state": "null", "zip": "89073", "address": "Gasse 1",
    "address2": "null", "phone": "+49", "email": "a@acme.example", "additionalInfo": '{"description":"Main","x":1}',
}  # fmt: skip
TOLD = {
    "id": str(TENANT), "title": "Acme", "country": "DE", "city": "Ulm", "zip": "89073", "address": "Gasse 1",
    "phone": "+49", "email": "a@acme.example", "additionalInfo": "Main",
}  # fmt: skip


@pytest.fixture
def world() -> World:
    world = World()
    us = EntityId(EntityType.TENANT, TENANT)
    world.known = {us: EntityFields("Acme", "", "", None, None, FIELDS)}
    return world


@pytest.mark.parametrize("place", ["DATA", "METADATA"])
def test_details_go_with_a_prefix_where_they_are_wanted_and_empty_ones_nowhere(world: World, place: str) -> None:
    node = made(TenantDetails, {"detailsList": ALL, "fetchTo": place})
    one, other = node.run(world, [message({}), message({}, originator=entity(2))])
    assert one.relation == other.relation == "Success"
    found = {f"tenant_{key}": value for key, value in TOLD.items()}
    assert (one.msg.data.value if place == "DATA" else one.msg.metadata) == found
    assert world.asked == ["describe"]


def test_a_description_that_is_not_there_is_left_out(world: World) -> None:
    us = EntityId(EntityType.TENANT, TENANT)
    node = made(TenantDetails, {"detailsList": ["CITY", "ADDITIONAL_INFO"]})
    for info in ("null", "{}", '{"description":null}'):
        world.known = {us: EntityFields("Acme", "", "", None, None, {**FIELDS, "additionalInfo": info})}
        assert run_one(node, world, message({"x": 1})).msg.data.value == {"x": 1, "tenant_city": "Ulm"}


def test_a_body_that_is_no_object_fails_where_details_belong_into_it(world: World) -> None:
    outcome = run_one(made(TenantDetails, {"detailsList": ["CITY"]}), world, message([1]))
    assert failed(outcome) == "The message body is not a JSON object."


def test_details_are_necessary_and_must_exist() -> None:
    with pytest.raises(ValueError, match="At least one entity detail should be selected!"):
        made(TenantDetails)
    with pytest.raises(ValueError, match="SHOE_SIZE"):
        made(TenantDetails, {"detailsList": ["SHOE_SIZE"]})


def test_version_0_had_a_truth_value_for_the_place() -> None:
    assert TenantDetails.upgrade(0, {"addToMetadata": True, "detailsList": []}) == {
        "fetchTo": "METADATA",
        "detailsList": [],
    }
    assert TenantDetails.upgrade(0, {"addToMetadata": "false"}) == {"fetchTo": "DATA"}
    with pytest.raises(ValueError, match="addToMetadata is missing"):
        TenantDetails.upgrade(0, {})
    with pytest.raises(ValueError, match="unexpected value"):
        TenantDetails.upgrade(0, {"addToMetadata": "maybe"})
