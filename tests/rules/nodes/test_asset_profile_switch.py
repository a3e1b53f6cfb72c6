"""Asset profile switch: by the name of the asset's profile."""

from rules.nodes.filter.asset_profile_switch import AssetProfileSwitch
from tests.rules.nodes.context import World, device, entity, message
from tests.rules.nodes.running import failed, made, relations, run_one
from thingsboard.kernel.ids import EntityType

HALL, SHED = entity(1, EntityType.ASSET), entity(2, EntityType.ASSET)


def test_assets_leave_by_the_name_of_their_profile_and_are_asked_for_once(world: World) -> None:
    world.known = {HALL: device("Building"), SHED: device("default")}
    messages = [message({}, originator=each) for each in (HALL, SHED, HALL)]
    outcomes = made(AssetProfileSwitch, {"version": 0}).run(world, messages)
    assert relations(outcomes) == ["Building", "default", "Building"]
    assert world.asked == ["describe"]


def test_whoever_is_no_asset_fails_without_being_asked_for(world: World) -> None:
    error = failed(run_one(made(AssetProfileSwitch), world, message({})))
    assert error == "Unsupported originator type: Device! Only Asset type is allowed."
    assert world.asked == []


def test_an_asset_that_is_gone_fails(world: World) -> None:
    error = failed(run_one(made(AssetProfileSwitch), world, message({}, originator=HALL)))
    assert error == f"Asset profile for entity id: {HALL.id} wasn't found!"
