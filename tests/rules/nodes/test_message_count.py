"""Message count: how many messages came in each interval."""

from typing import Any

import pytest

from rules.node import AT_ONCE, CONSUMED, Msg, Wait
from rules.node.later import Tick
from rules.nodes.action.message_count import MessageCount
from tests.rules.nodes.context import NOW, TENANT, World, message
from tests.rules.nodes.later import NODE
from tests.rules.nodes.running import made, run_one
from thingsboard.kernel.ids import EntityId, EntityType

TYPE = "MSG_COUNT_SELF_MSG"


def tick(ts: int = NOW) -> Msg:
    return message({}, TYPE, originator=NODE)._replace(ts=ts)


def told(outcome: Any) -> Msg:
    assert isinstance(outcome, Wait) and (outcome.due, outcome.relation) == (AT_ONCE, "Success")
    return outcome.msg


def test_what_arrives_is_counted_and_done(world: World) -> None:
    node = made(MessageCount, MessageCount.defaults())
    assert node.run(world, [message({}), message({})]) == [CONSUMED] * 2
    assert (world.later.values, world.later.asked) == ({"count": 2}, ["add"])


def test_the_count_goes_on_as_telemetry_of_the_tenant_and_begins_anew(world: World) -> None:
    node = made(MessageCount, {"telemetryPrefix": "seen", "interval": 5})
    world.later.armed(NOW)
    world.clock = NOW + 250
    outcomes = node.run(world, [message({}), tick(), message({})])
    found = told(outcomes[1])
    assert (found.type, found.originator) == ("POST_TELEMETRY_REQUEST", EntityId(EntityType.TENANT, TENANT))
    assert (found.data.value, found.metadata) == ({"seen_tb-1": 1}, {"delta": "5250"})
    assert world.later.values["count"] == 1
    assert world.later.wakes == {NODE: (NOW + 5000, TYPE)} and world.later.values["tick"] == NOW + 5000


def test_nothing_that_came_is_told_as_zero(world: World) -> None:
    world.later.armed(NOW)
    found = told(run_one(made(MessageCount, {"telemetryPrefix": "n", "interval": 1}), world, tick()))
    assert found.data.value == {"n_tb-1": 0}


def test_a_tick_that_is_out_of_date_does_nothing(world: World) -> None:
    world.later.armed(NOW + 700)
    assert run_one(made(MessageCount, MessageCount.defaults()), world, tick()) == CONSUMED
    assert not world.later.wakes


def test_after_a_long_absence_it_goes_on_from_now(world: World) -> None:
    world.later.armed(NOW)
    world.clock = NOW + 3_600_000
    told(run_one(made(MessageCount, MessageCount.defaults()), world, tick()))
    assert world.later.wakes[NODE] == (world.clock, TYPE)


def test_it_begins_an_interval_after_its_chain_is_saved() -> None:
    assert made(MessageCount, {"interval": 3}).begins(NOW) == Tick(NOW + 3000, TYPE)


def test_an_interval_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="interval is 0; expected a number of seconds from 1"):
        made(MessageCount, {})
