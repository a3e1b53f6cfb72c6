"""Related device attributes: as originator attributes, of a device that relations lead to."""

from typing import Any

import pytest

from rules.node.lookups import Walk, Wanted
from rules.nodes.enrichment.related_device_attributes import RelatedDeviceAttributes
from telemetry.points import Attribute, Point, Scope
from tests.rules.nodes.context import DEVICE, World, entity, message
from tests.rules.nodes.running import failed, made, run_one
from thingsboard.kernel.ids import EntityType

HALL, LONELY = entity(7, EntityType.ASSET), entity(8)
EXPORTED = {"clientAttributeNames": ["version"], "latestTsKeyNames": ["t"], "tellFailureIfAbsent": True}
DEVICES = (Wanted("Contains", (EntityType.DEVICE,)),)


@pytest.fixture
def world() -> World:
    world = World()
    world.look.nearest = {HALL: DEVICE}
    world.stored_attributes[DEVICE, Scope.CLIENT] = {"version": Attribute("version", Scope.CLIENT, "1.2", 1)}
    world.stored_latest[DEVICE] = {"t": Point(9, 21)}
    return world


def test_attributes_and_telemetry_of_the_device_are_added(world: World) -> None:
    messages = [message({}, originator=HALL), message({}, originator=LONELY), message({"x": 1}, originator=HALL)]
    one, lonely, other = made(RelatedDeviceAttributes, EXPORTED).run(world, messages)
    assert one.relation == "Success" and one.msg.originator == HALL
    assert one.msg.metadata == other.msg.metadata == {"cs_version": "1.2", "t": "21"}
    error = "Failed to find related device to message originator using relation query specified in the configuration!"
    assert failed(lonely) == error
    assert world.asked == ["related", "attributes", "latest"]
    assert world.look.walks == [Walk("FROM", 1, DEVICES, False, ("default",))]


def test_what_is_missing_is_a_failure_where_that_is_wanted(world: World) -> None:
    node = made(RelatedDeviceAttributes, {**EXPORTED, "serverAttributeNames": ["s"]})
    outcome = run_one(node, world, message({}, originator=HALL))
    assert (
        failed(outcome) == "The following attribute/telemetry keys is not present in the DB: \n\t[SERVER_SCOPE]:[s]\n"
    )
    assert outcome.msg.metadata["t"] == "21"


@pytest.mark.parametrize(
    ("query", "walk"),
    [
        (
            {"direction": "TO", "maxLevel": 2, "relationType": "Manages", "deviceTypes": ["a", "b"]},
            Walk("TO", 2, (Wanted("Manages", (EntityType.DEVICE,)),), False, ("a", "b")),
        ),
        ({"relationType": None, "fetchLastLevelOnly": True}, Walk("FROM", 1, DEVICES, True, ("default",))),
        ({"deviceTypes": []}, Walk("FROM", 1, DEVICES, False, ())),
    ],
)
def test_the_query_says_how_relations_are_walked(world: World, query: dict[str, Any], walk: Walk) -> None:
    run_one(made(RelatedDeviceAttributes, {"deviceRelationsQuery": query}), world, message({}, originator=HALL))
    assert world.look.walks == [walk]


def test_an_unknown_direction_is_refused() -> None:
    with pytest.raises(ValueError, match="Unknown direction"):
        made(RelatedDeviceAttributes, {"deviceRelationsQuery": {"direction": "UP"}})


def test_version_0_had_a_truth_value_for_the_place() -> None:
    assert RelatedDeviceAttributes.upgrade(0, {"fetchToData": True}) == {"fetchTo": "DATA"}
    assert RelatedDeviceAttributes.upgrade(0, {}) == {"fetchTo": "METADATA"}
