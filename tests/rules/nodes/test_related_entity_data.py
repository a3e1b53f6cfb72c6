"""Related entity data: attributes, telemetry or fields of whom the originator is related to."""

from typing import Any

import pytest

from rules.node.lookups import Walk, Wanted
from rules.nodes.enrichment.related_entity_data import RelatedEntityData
from telemetry.points import Attribute, Point, Scope
from tests.rules.nodes.context import DEVICE, World, device, entity, message
from tests.rules.nodes.running import failed, made, run_one
from thingsboard.kernel.ids import EntityType

HALL, LONELY = entity(7, EntityType.ASSET), entity(8)


@pytest.fixture
def world() -> World:
    world = World()
    world.look.nearest = {DEVICE: HALL}
    world.stored_attributes[HALL, Scope.SERVER] = {"serialNumber": Attribute("serialNumber", Scope.SERVER, "S1", 1)}
    world.stored_latest[HALL] = {"t": Point(5, 21)}
    world.known = {HALL: device("Building", label="null", additionalInfo='{"description":"Main"}')}
    return world


def test_a_new_node_adds_an_attribute_of_whom_the_originator_contains(world: World) -> None:
    there, lonely = made(RelatedEntityData).run(world, [message({}), message({}, originator=LONELY)])
    assert there.msg.metadata == {"sn": "S1"}
    error = "Failed to find related entity to message originator using relation query specified in the configuration!"
    assert failed(lonely) == error
    assert world.look.walks == [Walk("FROM", 1, (Wanted("Contains"),))]
    assert world.asked == ["related", "attributes"]


def test_latest_telemetry_and_fields_can_be_fetched(world: World) -> None:
    node = made(RelatedEntityData, {"dataToFetch": "LATEST_TELEMETRY", "dataMapping": {"t": "v"}})
    assert run_one(node, world, message({})).msg.metadata == {"v": "21"}
    mapping = {"name": "n", "type": "${as}", "label": "l", "wings": "w", "additionalInfo.description": "d"}
    node = made(RelatedEntityData, {"dataToFetch": "FIELDS", "dataMapping": mapping, "fetchTo": "DATA"})
    found = run_one(node, world, message({"x": 1}, **{"as": "kind"})).msg.data.value
    assert found == {"x": 1, "n": "Thermostat T1", "kind": "Building", "d": "Main"}


def test_fields_of_an_entity_that_is_gone_fail(world: World) -> None:
    world.known = {}
    node = made(RelatedEntityData, {"dataToFetch": "FIELDS"})
    assert failed(run_one(node, world, message({}))) == "Entity not found!"


@pytest.mark.parametrize(
    ("query", "walk"),
    [
        ({"direction": "TO", "maxLevel": 3}, Walk("TO", 3, (Wanted("Contains"),))),
        ({"maxLevel": 0, "filters": []}, Walk("FROM", 100)),
        ({"maxLevel": 1000, "filters": None, "fetchLastLevelOnly": True}, Walk("FROM", 100, (), True)),
        (
            {
                "filters": [
                    {"relationType": "", "entityTypes": ["ASSET", "DEVICE"], "negate": False},
                    {"entityTypes": None},
                ]
            },
            Walk("FROM", 1, (Wanted("", (EntityType.ASSET, EntityType.DEVICE)), Wanted("Contains"))),
        ),
    ],
)
def test_the_query_says_how_relations_are_walked(world: World, query: dict[str, Any], walk: Walk) -> None:
    run_one(made(RelatedEntityData, {"relationsQuery": query}), world, message({}))
    assert world.look.walks == [walk]


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"relationsQuery": {"direction": "UP"}}, "Unknown direction 'UP'; expected FROM or TO"),
        ({"relationsQuery": {"direction": None}}, "Unknown direction"),
        ({"relationsQuery": {"filters": [{}] * 101}}, "has 101 filters; expected at most 100"),
        ({"relationsQuery": {"filters": [{"entityTypes": ["HOUSE"]}]}}, "HOUSE"),
        ({"dataMapping": {}}, "At least one mapping entry should be specified!"),
        ({"dataToFetch": "ALL"}, "dataToFetch"),
    ],
)
def test_what_cannot_work_is_refused(wrong: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        made(RelatedEntityData, wrong)


def test_version_0_is_taken_in(world: World) -> None:
    node = made(RelatedEntityData, {"telemetry": False, "attrMapping": {"serialNumber": "s"}}, version=0)
    assert run_one(node, world, message({})).msg.metadata == {"s": "S1"}
