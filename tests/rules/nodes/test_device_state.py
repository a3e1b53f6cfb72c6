"""Device state: what a transport would say of a device, so often as is taken."""

import pytest

from rules.node.deeds import Sign
from rules.nodes.action.device_state import DeviceState
from tests.rules.nodes.context import CAME, DEVICE, World, entity, message
from tests.rules.nodes.running import failed, made, relations, run_one
from thingsboard.kernel.errors import NotFound
from thingsboard.kernel.ids import EntityType


def test_a_new_one_tells_of_activity() -> None:
    assert DeviceState.defaults() == {"event": "ACTIVITY_EVENT"}
    assert DeviceState.RELATIONS == ("Success", "Rate limited")


@pytest.mark.parametrize("sign", list(Sign))
def test_the_time_is_that_of_the_metadata_or_the_message(world: World, sign: Sign) -> None:
    node = made(DeviceState, {"event": sign.value})
    assert relations(node.run(world, [message({}, ts="77"), message({}, originator=entity(2))])) == ["Success"] * 2
    assert world.deeds.done == [("signal", DEVICE, sign, 77), ("signal", entity(2), sign, CAME)]


def test_a_device_of_which_too_much_is_said_is_rate_limited_alone(world: World) -> None:
    world.deeds.limited.add(DEVICE)
    outcomes = made(DeviceState).run(world, [message({}), message({}, originator=entity(2))])
    assert relations(outcomes) == ["Rate limited", "Success"]


def test_other_originators_and_devices_that_are_gone_fail(world: World) -> None:
    why = failed(run_one(made(DeviceState), world, message({}, originator=entity(1, EntityType.ASSET))))
    assert why == "Unsupported originator entity type: [ASSET]. Only DEVICE entity type is supported."
    world.deeds.refused[DEVICE] = NotFound("Device with id [x] is not found")
    assert failed(run_one(made(DeviceState), world, message({}))) == "Device with id [x] is not found"


def test_another_event_is_refused() -> None:
    with pytest.raises(ValueError, match="Unsupported event: ALARM"):
        made(DeviceState, {"event": "ALARM"})
