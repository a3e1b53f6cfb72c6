"""GPS geofencing events: who enters, leaves and stays; the state is a server attribute of the originator."""

import json
import uuid
from typing import Any

import pytest

from rules.nodes.action.gps_geofencing_events import MOST_NODES, GpsGeofencingEvents
from telemetry.points import Attribute, Json, Scope
from tests.rules.nodes.context import DEVICE, NODE, NOW, World, entity, message
from tests.rules.nodes.running import failed, made, relations, run_one

CONFIGURATION = {
    "fetchPerimeterInfoFromMessageMetadata": False,
    "polygonsDefinition": "[[0,0],[0,10],[10,10],[10,0]]",
    "minInsideDuration": 1,
    "minInsideDurationTimeUnit": "MINUTES",
    "minOutsideDuration": 2000,
    "minOutsideDurationTimeUnit": "MILLISECONDS",
}
EACH = {**CONFIGURATION, "reportPresenceStatusOnEachMessage": True}
ONCE = {**CONFIGURATION, "reportPresenceStatusOnEachMessage": False}
IN, OUT = {"latitude": 5, "longitude": 5}, {"latitude": 50, "longitude": 5}


class Remembering(World):
    """A world in which what is saved is there."""

    def save_attributes(self, entity: Any, scope: Scope, values: dict[str, Any], **options: Any) -> None:  # type: ignore[override]
        super().save_attributes(entity, scope, values, **options)
        there = self.stored_attributes.setdefault((entity, scope), {})
        there.update({key: Attribute(key, scope, value, self.clock) for key, value in values.items()})


@pytest.fixture
def world() -> Remembering:
    return Remembering()


def told(node: Any, world: World, *bodies: dict[str, Any]) -> list[str]:
    """By which labels messages leave that come one after the other."""
    return [run_one(node, world, message(body)).relation for body in bodies]


def test_it_enters_stays_leaves_and_stays_away(world: World) -> None:
    node = made(GpsGeofencingEvents, EACH)
    assert told(node, world, IN, IN, OUT, OUT, IN) == ["Entered", "Inside", "Left", "Outside", "Entered"]


def test_the_first_message_tells_that_it_left_where_it_is_outside(world: World) -> None:
    assert told(made(GpsGeofencingEvents, EACH), world, OUT, OUT) == ["Left", "Outside"]


def test_that_it_stays_is_told_once_when_it_was_there_for_long_enough(world: World) -> None:
    node = made(GpsGeofencingEvents, ONCE)
    assert told(node, world, IN, IN) == ["Entered", "Success"]
    world.clock = NOW + 60_000
    assert told(node, world, IN) == ["Success"]
    world.clock += 1
    assert told(node, world, IN, IN, OUT, OUT) == ["Inside", "Success", "Left", "Success"]
    world.clock += 2001
    assert told(node, world, OUT, OUT, IN) == ["Outside", "Success", "Entered"]


def test_the_state_is_a_server_attribute_as_thingsboard_writes_it(world: World) -> None:
    node = made(GpsGeofencingEvents, ONCE)
    told(node, world, IN, IN)
    ((originator, scope, values, options),) = world.attributes_saved
    state = {"inside": True, "stateSwitchTime": NOW, "stayed": False}
    assert (originator, scope) == (DEVICE, Scope.SERVER)
    assert json.loads(values["thingsboard"]) == {**state, "nodes": {str(NODE): state}}
    assert (options["live"], options["fields"], options["announce"]) == (False, False, None)


def test_messages_of_a_batch_see_what_those_before_them_did(world: World) -> None:
    other = entity(2)
    batch = [message(IN), message(IN, originator=other), message(OUT), message(IN, originator=other), message(OUT)]
    assert relations(made(GpsGeofencingEvents, EACH).run(world, batch)) == [
        "Entered",
        "Entered",
        "Left",
        "Inside",
        "Outside",
    ]
    assert world.asked == ["attributes"]
    assert relations(made(GpsGeofencingEvents, EACH).run(world, batch[:2])) == ["Entered", "Inside"]


def test_two_nodes_with_their_own_perimeters_do_not_disturb_each_other(world: World) -> None:
    near, far = (
        made(GpsGeofencingEvents, EACH),
        made(GpsGeofencingEvents, {**EACH, "polygonsDefinition": "[[40,0],[60,10]]"}),
    )
    assert told(near, world, IN) == ["Entered"]
    world.here = uuid.UUID(int=7).bytes
    assert told(far, world, IN, OUT) == ["Left", "Entered"]
    world.here = NODE.bytes
    assert told(near, world, IN) == ["Inside"]


def test_an_originator_remembers_a_bounded_number_of_nodes(world: World) -> None:
    node = made(GpsGeofencingEvents, EACH)

    def at(number: int, body: dict[str, Any]) -> str:
        world.here = uuid.UUID(int=number).bytes
        return told(node, world, body)[0]

    for number in range(1, MOST_NODES + 1):
        at(number, IN)
    assert at(1, OUT) == "Left"  # it changed last
    assert at(MOST_NODES + 1, IN) == "Entered"
    assert len(json.loads(world.attributes_saved[-1][2]["thingsboard"])["nodes"]) == MOST_NODES
    assert [at(number, OUT) for number in (1, 3)] == ["Outside", "Left"]
    assert at(2, IN) == "Entered"  # forgotten


@pytest.mark.parametrize(
    "value",
    ["", "text", "7", "[]", '{"nodes":7}', json.dumps({"nodes": {str(NODE): {"inside": 1}}}), True, Json('{"a":1}')],
)
def test_an_attribute_that_somebody_else_wrote_says_nothing(world: World, value: Any) -> None:
    world.stored_attributes[DEVICE, Scope.SERVER] = {"thingsboard": Attribute("thingsboard", Scope.SERVER, value, 1)}
    assert told(made(GpsGeofencingEvents, EACH), world, IN, IN) == ["Entered", "Inside"]


def test_what_has_no_place_fails_and_changes_nothing(world: World) -> None:
    outcomes = made(GpsGeofencingEvents, EACH).run(world, [message({}), message(raw=b"{"), message(IN)])
    assert relations(outcomes) == ["Failure", "Failure", "Entered"]
    assert "no latitude" in failed(outcomes[0]) and failed(outcomes[1])
    assert len(world.attributes_saved) == 1


def test_version_0_told_presence_once(world: World) -> None:
    assert GpsGeofencingEvents.upgrade(0, {"range": 1}) == {"range": 1, "reportPresenceStatusOnEachMessage": False}
    assert GpsGeofencingEvents.upgrade(0, {"reportPresenceStatusOnEachMessage": True}) == {
        "reportPresenceStatusOnEachMessage": True
    }
    assert told(made(GpsGeofencingEvents, CONFIGURATION, version=0), world, IN, IN) == ["Entered", "Success"]


def test_a_unit_of_time_that_is_none_is_refused_when_the_node_is_made() -> None:
    with pytest.raises(ValueError, match="configuration cannot be used"):
        made(GpsGeofencingEvents, {**EACH, "minInsideDurationTimeUnit": "WEEKS"})
