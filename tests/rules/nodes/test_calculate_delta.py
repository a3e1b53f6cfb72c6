"""Calculate delta: by how much a reading differs from the one before."""

from typing import Any

import pytest

from rules.node import Node
from rules.nodes.enrichment.calculate_delta import CalculateDelta
from telemetry.points import Json, Point
from tests.rules.nodes.context import DEVICE, World, entity, message
from tests.rules.nodes.running import failed, made, relations, run_one

OTHER_DEVICE = entity(2)


def node(**more: Any) -> Node:
    """A new node, without a cache unless it is wanted."""
    return made(CalculateDelta, {**CalculateDelta.defaults(), "useCache": False, **more})


def reading(value: Any, ts: int = 1000, **more: Any) -> Any:
    return message({"pulseCounter": value}, ts=str(ts), **more)


@pytest.fixture
def world() -> World:
    world = World()
    world.stored_latest[DEVICE] = {"pulseCounter": Point(400, 40)}
    return world


def deltas(outcomes: Any) -> list[Any]:
    return [outcome.msg.data.value.get("delta") for outcome in outcomes]


def test_a_new_node_has_a_cache_and_a_partial_configuration_has_none() -> None:
    assert CalculateDelta.defaults()["useCache"] is CalculateDelta.defaults()["tellFailureIfDeltaIsNegative"] is True
    assert (
        made(CalculateDelta, {}).config.use_cache
        is made(CalculateDelta, {}).config.tell_failure_if_delta_is_negative
        is False
    )


def test_the_reading_before_is_the_latest_that_is_stored(world: World) -> None:
    outcome = run_one(node(addPeriodBetweenMsgs=True), world, reading(42))
    assert outcome.relation == "Success"
    assert outcome.msg.data.value == {"pulseCounter": 42, "delta": 2, "periodInMs": 600}


def test_the_first_reading_differs_by_nothing(world: World) -> None:
    outcome = run_one(node(addPeriodBetweenMsgs=True), world, reading(42, originator=OTHER_DEVICE))
    assert outcome.msg.data.value == {"pulseCounter": 42, "delta": 0, "periodInMs": 0}


@pytest.mark.parametrize(
    ("value", "decimals", "delta"),
    [
        (42.5, None, 2.5), (40.1, None, 0.10000000000000142), (40.1, 2, 0.1), (40.125, 2, 0.13), (40.4, 0, 0), (40.5, 0, 1),
        ("43", None, 3), ("4e1", None, 0), ("much", None, -40), (True, None, -39), (None, None, -40), ([9], None, -40),
        (1e300, 3, None), (1e15, None, 10**15 - 40), (-0.0, None, -40),
    ],
)  # fmt: skip
def test_differences_are_rounded_half_up_and_whole_ones_are_integers(
    world: World, value: Any, decimals: int | None, delta: Any
) -> None:
    outcome = run_one(node(round=decimals, tellFailureIfDeltaIsNegative=False), world, reading(value))
    if delta is None:
        assert failed(outcome) == "The difference 1e+300 does not fit into 64 bits."
    else:
        found = outcome.msg.data.value["delta"]
        assert (found, type(found)) == (delta, type(delta))


@pytest.mark.parametrize(
    ("stored", "why"),
    [
        (True, "Boolean values are not supported!"),
        (Json("{}"), "JSON values are not supported!"),
        ("high", "Unable to parse value [high] of telemetry [pulseCounter] to Double"),
    ],
)
def test_a_stored_value_that_is_no_number_fails(world: World, stored: Any, why: str) -> None:
    world.stored_latest[DEVICE] = {"pulseCounter": Point(400, stored)}
    assert failed(run_one(node(), world, reading(42))) == f"Calculation failed. {why}"
    world.stored_latest[DEVICE] = {"pulseCounter": Point(400, " 40.5 ")}
    assert deltas([run_one(node(), world, reading(42))]) == [1.5]


def test_a_negative_difference_fails_or_does_not(world: World) -> None:
    assert failed(run_one(node(), world, reading(39))) == "Delta value is negative!"
    assert deltas([run_one(node(tellFailureIfDeltaIsNegative=False), world, reading(39))]) == [-1]


def test_readings_that_do_not_differ_may_go_on_as_they_are(world: World) -> None:
    same = reading(40)
    outcome = run_one(node(excludeZeroDeltas=True, addPeriodBetweenMsgs=True), world, same)
    assert (outcome.relation, outcome.msg) == ("Success", same)


def test_what_is_no_reading_leaves_by_other_and_nothing_is_asked(world: World) -> None:
    others = [
        message({"pulseCounter": 1}, "POST_ATTRIBUTES_REQUEST"),
        message({"t": 1}),
        message([1]),
        message("pulseCounter"),
    ]
    assert relations(node(useCache=True).run(world, others)) == ["Other"] * 4
    assert world.asked == []


def test_with_a_cache_each_message_is_the_one_before_its_next_in_a_batch_and_beyond(world: World) -> None:
    meter = node(useCache=True, addPeriodBetweenMsgs=True)
    messages = [reading(42, 1000), reading(7, 1000, originator=OTHER_DEVICE), reading(45, 1500), reading(49, 1700)]
    assert deltas(meter.run(world, messages)) == [2, 0, 3, 4]
    assert world.asked == ["latest", "remembered"]
    again = run_one(meter, world, reading(50, 2000))
    assert again.msg.data.value == {"pulseCounter": 50, "delta": 1, "periodInMs": 300}


def test_without_a_cache_nothing_is_remembered(world: World) -> None:
    assert deltas(node().run(world, [reading(42), reading(45)])) == [2, 5]
    assert world.look.memory == {} and world.asked == ["latest"]


def test_a_negative_difference_is_remembered_too(world: World) -> None:
    outcomes = node(useCache=True).run(world, [reading(10, 1000), reading(12, 1001)])
    assert failed(outcomes[0]) and deltas(outcomes[1:]) == [2]


def test_the_cache_counts_for_what_was_stored_already_and_for_what_came_late(world: World) -> None:
    meter = node(useCache=True, tellFailureIfDeltaIsNegative=False)
    run_one(meter, world, reading(50, 1000))
    world.stored_latest[DEVICE] = {"pulseCounter": Point(1200, 53)}  # its own value, stored before it came here
    assert deltas([run_one(meter, world, reading(53, 1200))]) == [3]
    assert deltas([run_one(meter, world, reading(49, 900))]) == [-4]
    assert deltas([run_one(meter, world, reading(55, 1300))]) == [6]


def test_what_another_worker_stored_since_counts_more_than_the_cache(world: World) -> None:
    meter = node(useCache=True)
    run_one(meter, world, reading(50, 1000))
    world.stored_latest[DEVICE] = {"pulseCounter": Point(1200, 53)}
    assert deltas([run_one(meter, world, reading(55, 1300))]) == [2]


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"inputValueKey": " "}, "Input value key should be specified!"),
        ({"outputValueKey": ""}, "Output value key should be specified!"),
        ({"addPeriodBetweenMsgs": True, "periodValueKey": ""}, "Period value key should be specified!"),
        ({"round": 16}, "round is 16; expected 0 to 15 decimals"),
    ],
)
def test_what_cannot_work_is_refused(wrong: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        node(**wrong)
    assert node(periodValueKey="")


def test_version_0_did_not_exclude_readings_that_do_not_differ() -> None:
    assert CalculateDelta.upgrade(0, {"round": 2}) == {"round": 2, "excludeZeroDeltas": False}
    assert CalculateDelta.upgrade(0, {"excludeZeroDeltas": True}) == {"excludeZeroDeltas": True}
