"""Rest call reply: the body answers who called, as the metadata name them."""

import uuid

import pytest

from rules.nodes.action.rest_call_reply import RestCallReply
from tests.rules.nodes.context import World, message
from tests.rules.nodes.running import failed, made, relations, run_one

CALL = uuid.UUID(int=11)


def test_a_new_one_reads_what_the_platform_writes(world: World) -> None:
    assert RestCallReply.defaults() == {
        "serviceIdMetaDataAttribute": "serviceId",
        "requestIdMetaDataAttribute": "requestUUID",
    }
    messages = [message({"n": n}, serviceId="web", requestUUID=str(CALL)) for n in (1, 2)]
    outcomes = made(RestCallReply).run(world, messages)
    assert relations(outcomes) == ["Success"] * 2 and [each.msg for each in outcomes] == messages
    assert world.deeds.done == [("answer call", "web", CALL, {"n": n}) for n in (1, 2)]


def test_other_members_may_say_it(world: World) -> None:
    node = made(RestCallReply, {"serviceIdMetaDataAttribute": "s", "requestIdMetaDataAttribute": "r"})
    run_one(node, world, message([], s="web", r=str(CALL)))
    assert world.deeds.done == [("answer call", "web", CALL, [])]


@pytest.mark.parametrize(
    ("metadata", "why"),
    [
        ({}, "Request id is not present in the metadata!"),
        ({"requestUUID": str(CALL)}, "Service id is not present in the metadata!"),
        ({"requestUUID": "seven", "serviceId": "web"}, "Request id in the metadata is not a UUID: 'seven'."),
    ],
)
def test_without_them_it_fails(world: World, metadata: dict[str, str], why: str) -> None:
    assert failed(run_one(made(RestCallReply), world, message({}, **metadata))) == why
    assert world.deeds.done == []


def test_an_empty_body_is_no_answer(world: World) -> None:
    empty = message(raw=b"", serviceId="web", requestUUID=str(CALL))
    assert failed(run_one(made(RestCallReply), world, empty)) == "Request body is empty!"
