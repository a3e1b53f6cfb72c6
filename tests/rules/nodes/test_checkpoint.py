"""Checkpoint: messages go on in another queue."""

from rules.node import AT_ONCE, Wait
from rules.nodes.flow.checkpoint import Checkpoint
from tests.rules.nodes.context import World, entity, message
from tests.rules.nodes.running import made


def test_messages_go_on_as_they_are_in_the_queue_of_the_node(world: World) -> None:
    messages = [message({"n": number}, originator=entity(number)) for number in range(3)]
    outcomes = made(Checkpoint, queue="SequentialByOriginator").run(world, messages)
    assert outcomes == [Wait(msg._replace(queue="SequentialByOriginator"), AT_ONCE, "Success") for msg in messages]


def test_without_a_queue_of_its_own_they_stay_in_theirs(world: World) -> None:
    msg = message({})._replace(queue="HighPriority")
    assert made(Checkpoint).run(world, [msg]) == [Wait(msg, AT_ONCE)]


def test_the_name_of_the_queue_was_in_the_configuration_once() -> None:
    assert Checkpoint.upgrade(0, {"queueName": "Main", "version": 0}) == {"version": 0}
