"""Split array msg: a message of each element."""

import pytest

from rules.nodes.transformation.split_array import SplitArray
from tests.rules.nodes.context import World, message
from tests.rules.nodes.running import failed, made, run_one


def test_each_element_is_a_message_like_the_one_it_came_with(world: World) -> None:
    msg = message([{"t": 1}, [2], "three", None], "CUSTOM", ts="5", stored=True)
    outcomes = run_one(made(SplitArray), world, msg)
    assert [outcome.relation for outcome in outcomes] == ["Success"] * 4
    assert [outcome.msg.data.value for outcome in outcomes] == [{"t": 1}, [2], "three", None]
    for outcome in outcomes:
        assert (outcome.msg.type, outcome.msg.metadata, outcome.msg.originator) == (
            "CUSTOM",
            {"ts": "5"},
            msg.originator,
        )
        assert not outcome.msg.stored


def test_an_empty_array_is_the_end_of_the_message(world: World) -> None:
    assert run_one(made(SplitArray), world, message([])) == ()


@pytest.mark.parametrize("body", [{"t": 1}, "text", 7, None])
def test_what_is_no_array_fails(world: World, body: object) -> None:
    assert failed(run_one(made(SplitArray), world, message(body))) == "Msg data is not a JSON Array!"


def test_a_batch_has_an_outcome_for_each(world: World) -> None:
    one, broken, none = made(SplitArray).run(world, [message([1]), message(raw=b"["), message([])])
    assert (len(one), none) == (1, ())
    assert failed(broken)
