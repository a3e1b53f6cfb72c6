"""Tenant attributes: mapped to new names, from server attributes or latest telemetry, into metadata or body."""

import pytest

from rules.nodes.enrichment.tenant_attributes import TenantAttributes
from telemetry.points import Attribute, Json, Point, Scope
from tests.rules.nodes.context import TENANT, World, entity, message
from tests.rules.nodes.running import failed, made, run_one
from thingsboard.kernel.ids import EntityId, EntityType

US = EntityId(EntityType.TENANT, TENANT)
EXPORTED = {"fetchTo": "METADATA", "dataMapping": {"limit": "l", "place": "p"}, "dataToFetch": "ATTRIBUTES"}


@pytest.fixture
def world() -> World:
    world = World()
    values = {"limit": 1e7, "place": Json('{"room":7}')}
    world.stored_attributes[US, Scope.SERVER] = {
        key: Attribute(key, Scope.SERVER, each, 1) for key, each in values.items()
    }
    world.stored_attributes[US, Scope.SHARED] = {"secret": Attribute("secret", Scope.SHARED, 1, 1)}
    world.stored_latest[US] = {"t": Point(5, 20.5)}
    return world


def test_server_attributes_get_their_new_names_in_the_metadata(world: World) -> None:
    outcome = run_one(made(TenantAttributes, EXPORTED), world, message({"x": 1}, ts="5"))
    assert outcome.relation == "Success"
    assert outcome.msg.metadata == {"ts": "5", "l": "1.0E7", "p": '{"room":7}'}
    assert outcome.msg.data.value == {"x": 1}


def test_server_attributes_go_into_the_body_as_what_they_are(world: World) -> None:
    outcome = run_one(made(TenantAttributes, {**EXPORTED, "fetchTo": "DATA"}), world, message({"x": 1, "l": 0}))
    assert outcome.msg.data.value == {"x": 1, "l": 1e7, "p": {"room": 7}}


def test_both_names_may_have_templates_and_what_is_missing_is_left_out(world: World) -> None:
    mapping = {"dataMapping": {"${what}": "my $[kind]", "secret": "s", "nothing": "n"}}
    outcome = run_one(made(TenantAttributes, {**EXPORTED, **mapping}), world, message({"kind": "top"}, what="limit"))
    assert outcome.msg.metadata == {"what": "limit", "my top": "1.0E7"}


@pytest.mark.parametrize(("place", "found"), [("METADATA", {"v": "20.5"}), ("DATA", {"v": 20.5, "u": None})])
def test_latest_telemetry_is_fetched_where_wanted_and_null_in_a_body_without_points(
    world: World, place: str, found: dict
) -> None:
    node = made(
        TenantAttributes, {"dataMapping": {"t": "v", "none": "u"}, "dataToFetch": "LATEST_TELEMETRY", "fetchTo": place}
    )
    msg = run_one(node, world, message({})).msg
    assert (msg.metadata if place == "METADATA" else msg.data.value) == found


def test_many_messages_ask_once_and_bad_ones_fail_alone(world: World) -> None:
    node = made(TenantAttributes, {**EXPORTED, "dataMapping": {"limit": "$[name]"}})
    messages = [message({"name": "a"}), message(raw=b"no json"), message({"name": "b"}, originator=entity(2))]
    one, bad, other = node.run(world, messages)
    assert one.msg.metadata == {"a": "1.0E7"} and other.msg.metadata == {"b": "1.0E7"}
    assert "line 1 column 1" in failed(bad)
    assert world.asked == ["attributes"]


def test_a_body_that_is_no_object_fails_where_values_belong_into_it(world: World) -> None:
    outcome = run_one(made(TenantAttributes, {**EXPORTED, "fetchTo": "DATA"}), world, message([1]))
    assert failed(outcome) == "The message body is not a JSON object."


def test_a_mapping_is_necessary_and_fields_are_not_supported() -> None:
    with pytest.raises(ValueError, match="At least one mapping entry should be specified!"):
        made(TenantAttributes, {**EXPORTED, "dataMapping": {}})
    with pytest.raises(ValueError, match=r"FIELDS\. Only ATTRIBUTES and LATEST_TELEMETRY values supported!"):
        made(TenantAttributes, {**EXPORTED, "dataToFetch": "FIELDS"})


@pytest.mark.parametrize(("old", "new"), [(True, "LATEST_TELEMETRY"), ("false", "ATTRIBUTES")])
def test_version_0_had_a_truth_value_and_another_name_for_the_mapping(old: object, new: str) -> None:
    raw = {"telemetry": old, "attrMapping": {"a": "b"}}
    upgraded = {"dataToFetch": new, "dataMapping": {"a": "b"}, "fetchTo": "METADATA"}
    assert TenantAttributes.upgrade(0, raw) == upgraded
    assert raw == {"telemetry": old, "attrMapping": {"a": "b"}}


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        ({"attrMapping": {}}, "telemetry is missing"),
        ({"telemetry": True}, "attrMapping is missing"),
        ({"telemetry": "maybe", "attrMapping": {}}, "unexpected value 'maybe'"),
    ],
)
def test_a_configuration_of_version_0_that_lacks_something_is_refused(raw: dict, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        TenantAttributes.upgrade(0, raw)
