"""Device profile switch: by the name of the device's profile."""

from rules.nodes.filter.device_profile_switch import DeviceProfileSwitch
from tests.rules.nodes.context import DEVICE, World, device, entity, message
from tests.rules.nodes.running import failed, made, relations, run_one
from thingsboard.kernel.ids import EntityType


def test_devices_leave_by_the_name_of_their_profile_and_are_asked_for_once(world: World) -> None:
    other = entity(2)
    world.known = {DEVICE: device("Thermostat"), other: device("default")}
    messages = [message({}), message({}, originator=other), message({})]
    assert relations(made(DeviceProfileSwitch, {"version": 0}).run(world, messages)) == [
        "Thermostat",
        "default",
        "Thermostat",
    ]
    assert world.asked == ["describe"]


def test_whoever_is_no_device_fails_without_being_asked_for(world: World) -> None:
    asset = message({}, originator=entity(1, EntityType.ASSET))
    error = failed(run_one(made(DeviceProfileSwitch), world, asset))
    assert error == "Unsupported originator type: Asset! Only Device type is allowed."
    assert world.asked == []


def test_a_device_that_is_gone_fails_and_the_others_go_on(world: World) -> None:
    world.known = {DEVICE: device()}
    gone, there = made(DeviceProfileSwitch).run(world, [message({}, originator=entity(2)), message({})])
    assert failed(gone) == f"Device profile for entity id: {entity(2).id} wasn't found!"
    assert there.relation == "thermostat"
