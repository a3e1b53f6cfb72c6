"""Deduplication: one message of all that an originator sends in an interval."""

from typing import Any

import pytest

from rules.node import AT_ONCE, CONSUMED, Msg, Node, Wait
from rules.nodes.transformation.deduplication import Deduplication
from tests.rules.nodes.context import CUSTOMER, DEVICE, NOW, World, entity, message
from tests.rules.nodes.running import failed, made, run_one

TICK = "DEDUPLICATION_TIMEOUT_SELF_MSG"
MINUTE = 60_000
ALL = {"strategy": "ALL", "outMsgType": "POST_TELEMETRY_REQUEST"}


def node(queue: str = "", **configuration: Any) -> Node:
    return made(Deduplication, {**Deduplication.defaults(), **configuration}, queue=queue)


def said(*stamps: int, originator: Any = DEVICE) -> list[Msg]:
    """Messages that happened so many ms after NOW, numbered from 0."""
    return [message({"n": n}, originator=originator, ts=str(NOW + stamp)) for n, stamp in enumerate(stamps)]


def tick(originator: Any = DEVICE) -> Msg:
    return message({}, TICK, originator=originator)


def went_on(outcome: Any) -> list[Msg]:
    assert isinstance(outcome, tuple)
    assert all(isinstance(each, Wait) and (each.due, each.relation) == (AT_ONCE, "Success") for each in outcome)
    return [each.msg for each in outcome]


def numbers(messages: list[Msg]) -> list[Any]:
    return [msg.data.value["n"] for msg in messages]


def test_messages_are_done_and_held_back_until_the_interval_of_the_first_one_is_over(world: World) -> None:
    messages = [*said(0, 10), *said(5, originator=entity(2))]
    assert node().run(world, messages) == [CONSUMED] * 3
    assert world.later.piles == {DEVICE: messages[:2], entity(2): messages[2:]}
    assert world.later.wakes == dict.fromkeys([DEVICE, entity(2)], (NOW + MINUTE + 1, TICK))


@pytest.mark.parametrize(("strategy", "number"), [("FIRST", 1), ("LAST", 2)])
def test_the_oldest_or_the_newest_goes_on_as_it_is(world: World, strategy: str, number: int) -> None:
    one = node(strategy=strategy)
    one.run(world, said(50, 10, 90, 10, 90))
    world.clock = NOW + MINUTE + 91
    (found,) = went_on(run_one(one, world, tick()))
    assert numbers([found]) == [number]
    assert (found.customer_id, found.queue, world.later.piles) == (CUSTOMER, "Main", {})


def test_all_become_an_array_of_bodies_and_metadata(world: World) -> None:
    one = node(**ALL)
    one.run(world, [*said(0, 5), message(raw=b"no JSON", ts=str(NOW + 6))])
    world.clock = NOW + MINUTE + 1
    (found,) = went_on(run_one(one, world, tick()))
    assert found.data.value == [
        {"msg": {"n": 0}, "metadata": {"ts": str(NOW)}},
        {"msg": {"n": 1}, "metadata": {"ts": str(NOW + 5)}},
        {"msg": "no JSON", "metadata": {"ts": str(NOW + 6)}},
    ]
    assert (found.type, found.originator) == ("POST_TELEMETRY_REQUEST", DEVICE)
    assert found.metadata == {"ts": str(world.clock)}


def test_each_interval_has_a_message_of_its_own_and_what_is_too_young_waits_on(world: World) -> None:
    one = node(strategy="LAST")
    one.run(world, said(0, MINUTE - 1, MINUTE, 2 * MINUTE, 2 * MINUTE + 5))
    world.later.tick(DEVICE)
    world.clock = NOW + 2 * MINUTE
    assert numbers(went_on(run_one(one, world, tick()))) == [1, 2]
    assert numbers(world.later.piles[DEVICE]) == [3, 4]
    assert world.later.wakes == {DEVICE: (world.clock + MINUTE + 1, TICK)}


def test_a_tick_in_the_middle_of_a_batch_takes_what_came_before_it(world: World) -> None:
    one = node(strategy="LAST", interval=1)
    world.later.piles[DEVICE] = said(0)
    world.clock = NOW + 5000
    before, after = said(1, 4999)
    outcomes = one.run(world, [before, tick(), after])
    assert numbers(went_on(outcomes[1])) == [before.data.value["n"]]
    assert numbers(world.later.piles[DEVICE]) == [after.data.value["n"]]
    assert world.later.wakes[DEVICE][0] == world.clock + 1001


def test_results_go_to_the_queue_of_the_node(world: World) -> None:
    one = node(queue="HighPriority", strategy="FIRST", interval=1)
    world.later.piles[DEVICE] = [msg._replace(queue="Slow") for msg in said(0)]
    world.clock = NOW + 5000
    (found,) = went_on(run_one(one, world, tick()))
    assert found.queue == "HighPriority"
    world.later.piles[DEVICE] = [msg._replace(queue="Slow") for msg in said(0)]
    (found,) = went_on(run_one(node(interval=1), world, tick()))
    assert found.queue == "Slow"


def test_no_more_are_held_back_of_an_originator_than_may_be(world: World) -> None:
    world.later.piles[DEVICE] = said(0)
    outcomes = node(maxPendingMsgs=2).run(world, [*said(1, 2), *said(3, originator=entity(2))])
    assert outcomes[0] == CONSUMED and outcomes[2] == CONSUMED
    assert failed(outcomes[1]) == (
        f"[{world.later.node.id}] Max limit of pending messages reached for deduplication id: [{DEVICE.id}]"
    )


def test_many_originators_are_asked_about_at_once(world: World) -> None:
    one = node(interval=1)
    devices = [entity(number) for number in range(1000)]
    one.run(world, [msg for device in devices for msg in said(0, 1, originator=device)])
    assert world.later.asked == ["held", "hold"]
    world.later.asked.clear()
    world.clock = NOW + 5000
    outcomes = one.run(world, [tick(device) for device in devices])
    assert [numbers(went_on(outcome)) for outcome in outcomes] == [[0]] * 1000
    assert world.later.asked == ["take"]


def test_a_tick_for_nothing_changes_nothing(world: World) -> None:
    assert run_one(node(), world, tick()) == CONSUMED
    assert not world.later.wakes and not world.later.piles


def test_the_name_of_the_queue_was_in_the_configuration_once() -> None:
    assert Deduplication.upgrade(0, {"interval": 5, "queueName": "Main"}) == {"interval": 5}


def test_a_type_is_needed_for_the_message_that_is_made_of_all() -> None:
    with pytest.raises(ValueError, match="outMsgType is missing"):
        node(strategy="ALL")
    with pytest.raises(ValueError, match="cannot be used"):
        node(strategy="SOME")
