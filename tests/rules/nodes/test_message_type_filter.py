"""Message type filter: True for the types in the list."""

import pytest

from rules.nodes.filter.message_type_filter import MessageTypeFilter
from tests.rules.nodes.context import World, message
from tests.rules.nodes.running import made, relations


def test_types_in_the_list_are_true_and_all_others_false(world: World) -> None:
    node = made(MessageTypeFilter, {"messageTypes": ["POST_TELEMETRY_REQUEST", "MY_OWN"]})
    types = ["POST_TELEMETRY_REQUEST", "CONNECT_EVENT", "MY_OWN", "my_own"]
    assert relations(node.run(world, [message({}, type) for type in types])) == ["True", "False", "True", "False"]


def test_an_empty_list_lets_nothing_pass(world: World) -> None:
    assert relations(made(MessageTypeFilter, {"messageTypes": []}).run(world, [message({})])) == ["False"]


def test_a_new_node_has_the_three_types_of_devices(world: World) -> None:
    node = made(MessageTypeFilter, MessageTypeFilter.defaults())
    types = ["POST_ATTRIBUTES_REQUEST", "POST_TELEMETRY_REQUEST", "TO_SERVER_RPC_REQUEST", "ALARM"]
    assert relations(node.run(world, [message({}, type) for type in types])) == ["True", "True", "True", "False"]


def test_a_list_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="messageTypes"):
        made(MessageTypeFilter, {"messageTypes": {"a": 1}})
