"""Entity type filter: True for the types of originators in the list."""

import pytest

from rules.nodes.filter.entity_type_filter import EntityTypeFilter
from tests.rules.nodes.context import World, entity, message
from tests.rules.nodes.running import made, relations
from thingsboard.kernel.ids import EntityType


def test_originators_of_the_types_are_true_and_all_others_false(world: World) -> None:
    node = made(EntityTypeFilter, {"originatorTypes": ["ASSET", "ENTITY_VIEW"]})
    types = [EntityType.ASSET, EntityType.DEVICE, EntityType.ENTITY_VIEW]
    messages = [message({}, originator=entity(1, type)) for type in types]
    assert relations(node.run(world, messages)) == ["True", "False", "True"]


def test_a_new_node_lets_devices_pass(world: World) -> None:
    node = made(EntityTypeFilter, EntityTypeFilter.defaults())
    messages = [message({}), message({}, originator=entity(1, EntityType.TENANT))]
    assert relations(node.run(world, messages)) == ["True", "False"]


def test_a_type_that_does_not_exist_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"SPACESHIP.*originatorTypes"):
        made(EntityTypeFilter, {"originatorTypes": ["DEVICE", "SPACESHIP"]})
