"""Output: back to the calling chain, by this node's name."""

from rules.node import Leave
from rules.nodes.flow.output import Output
from tests.rules.nodes.context import World, message
from tests.rules.nodes.running import made


def test_messages_leave_by_the_name_of_the_node(world: World) -> None:
    messages = [message({"t": 1}), message({"t": 2})]
    outcomes = made(Output, {"version": 0}, name="Too hot").run(world, messages)
    assert outcomes == [Leave("Too hot", msg) for msg in messages]


def test_nothing_can_be_connected_behind_it() -> None:
    assert not Output.OUT_ENABLED
