"""Acknowledge: done, and on it goes."""

from rules.nodes.flow.acknowledge import Acknowledge
from tests.rules.nodes.context import World, message
from tests.rules.nodes.running import made, relations


def test_messages_are_done_and_go_on_as_they_are(world: World) -> None:
    messages = [message({"t": 1}, stored=True), message({"t": 2})]
    outcomes = made(Acknowledge, {"version": 0}).run(world, messages)
    assert relations(outcomes) == ["Success", "Success"]
    assert [outcome.msg for outcome in outcomes] == world.acknowledged == messages
