"""Originator fields: into metadata or body, under other names."""

import pytest

from rules.nodes.enrichment.originator_fields import OriginatorFields
from tests.rules.nodes.context import DEVICE, World, device, entity, message
from tests.rules.nodes.running import failed, made, run_one

EXPORTED = {
    "dataMapping": {"name": "originatorName", "type": "originatorType"},
    "ignoreNullStrings": False,
    "fetchTo": "METADATA",
}


def test_fields_go_into_the_metadata_and_originators_are_asked_for_once(world: World) -> None:
    world.known = {DEVICE: device("thermostat")}
    outcomes = made(OriginatorFields, EXPORTED).run(world, [message({"t": 1}, ts="5"), message({"t": 2}, stored=True)])
    assert [outcome.relation for outcome in outcomes] == ["Success", "Success"]
    assert outcomes[0].msg.metadata == {"ts": "5", "originatorName": "Thermostat T1", "originatorType": "thermostat"}
    assert outcomes[0].msg.data.value == {"t": 1}
    assert not outcomes[1].msg.stored
    assert world.asked == ["describe"]


def test_fields_go_into_the_body_where_that_is_wanted(world: World) -> None:
    world.known = {DEVICE: device()}
    outcome = run_one(made(OriginatorFields, {**EXPORTED, "fetchTo": "DATA"}), world, message({"t": 1}, ts="5"))
    assert outcome.msg.data.value == {"t": 1, "originatorName": "Thermostat T1", "originatorType": "thermostat"}
    assert outcome.msg.metadata == {"ts": "5"}


def test_names_may_have_templates_and_unknown_fields_are_left_out(world: World) -> None:
    world.known = {DEVICE: device()}
    node = made(OriginatorFields, {**EXPORTED, "dataMapping": {"name": "${prefix}_$[kind]", "wings": "w"}})
    assert run_one(node, world, message({"kind": "name"}, prefix="my")).msg.metadata == {
        "prefix": "my",
        "my_name": "Thermostat T1",
    }


def test_a_path_looks_into_a_field(world: World) -> None:
    world.known = {DEVICE: device(additionalInfo='{"description":"Cellar","gateway":true,"deep":{"er":[1]}}')}
    mapping = {
        "additionalInfo.description": "a",
        "additionalInfo.gateway": "b",
        "additionalInfo.deep": "c",
        "additionalInfo.nothing.there": "d",
        "name.first": "e",
    }
    outcome = run_one(made(OriginatorFields, {**EXPORTED, "dataMapping": mapping}), world, message({}))
    assert outcome.msg.metadata == {"a": "Cellar", "b": "true", "c": '{"er":[1]}'}


def test_empty_fields_are_left_out_where_that_is_wanted(world: World) -> None:
    world.known = {DEVICE: device(label="", firmwareId="null")}
    mapping = {"dataMapping": {"label": "l", "firmwareId": "f"}}
    assert run_one(made(OriginatorFields, mapping), world, message({})).msg.metadata == {"l": "", "f": "null"}
    node = made(OriginatorFields, {**mapping, "ignoreNullStrings": True})
    assert run_one(node, world, message({})).msg.metadata == {}


def test_an_originator_that_is_gone_fails(world: World) -> None:
    error = failed(run_one(made(OriginatorFields, EXPORTED), world, message({}, originator=entity(2))))
    assert error == "Entity not found!"


def test_a_body_that_is_no_object_fails_where_fields_belong_into_it(world: World) -> None:
    world.known = {DEVICE: device()}
    outcome = run_one(made(OriginatorFields, {**EXPORTED, "fetchTo": "DATA"}), world, message([1]))
    assert failed(outcome) == "The message body is not a JSON object."


def test_a_mapping_is_necessary_and_a_place_must_exist() -> None:
    with pytest.raises(ValueError, match="At least one mapping entry should be specified!"):
        made(OriginatorFields, {**EXPORTED, "dataMapping": {}})
    with pytest.raises(ValueError, match=r"NOWHERE.*fetchTo"):
        made(OriginatorFields, {**EXPORTED, "fetchTo": "NOWHERE"})


def test_version_0_had_another_name_for_the_mapping(world: World) -> None:
    world.known = {DEVICE: device()}
    node = made(OriginatorFields, {"fieldsMapping": {"name": "n"}}, version=0)
    assert run_one(node, world, message({})).msg.metadata == {"n": "Thermostat T1"}
    with pytest.raises(ValueError, match="fieldsMapping is missing"):
        OriginatorFields.upgrade(0, {})
