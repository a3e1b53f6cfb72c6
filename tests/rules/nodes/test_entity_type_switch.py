"""Entity type switch: by the name of the originator's type."""

from rules.nodes.filter.entity_type_switch import EntityTypeSwitch
from tests.rules.nodes.context import World, entity, message
from tests.rules.nodes.running import made, relations
from thingsboard.kernel.ids import EntityType

NAMES = {
    EntityType.DEVICE: "Device",
    EntityType.ENTITY_VIEW: "Entity View",
    EntityType.RULE_CHAIN: "Rule chain",
    EntityType.TB_RESOURCE: "Resource",
    EntityType.AI_MODEL: "AI model",
    EntityType.API_USAGE_STATE: "Api usage state",
    EntityType.OAUTH2_CLIENT: "Oauth2 client",
}


def test_each_type_leaves_by_its_name(world: World) -> None:
    messages = [message({}, originator=entity(1, type)) for type in NAMES]
    assert relations(made(EntityTypeSwitch, {"version": 0}).run(world, messages)) == list(NAMES.values())


def test_no_type_is_without_a_way_out(world: World) -> None:
    messages = [message({}, originator=entity(1, type)) for type in EntityType]
    assert len(set(relations(made(EntityTypeSwitch).run(world, messages)))) == len(EntityType)


def test_the_labels_are_those_of_thingsboard() -> None:
    assert len(EntityTypeSwitch.RELATIONS) == 36
    assert set(NAMES.values()) < set(EntityTypeSwitch.RELATIONS)
