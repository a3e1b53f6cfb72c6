"""Rpc call reply: the body answers the device, as the metadata name its session and request."""

import uuid

import pytest

from rules.nodes.action.rpc_call_reply import RpcCallReply
from tests.rules.nodes.context import DEVICE, World, entity, message
from tests.rules.nodes.running import failed, made, relations, run_one
from thingsboard.kernel.ids import EntityType

SESSION = uuid.UUID(int=12)
WHO = {"serviceId": "mqtt", "sessionId": str(SESSION), "requestId": "5"}


def test_a_new_one_reads_what_transports_write(world: World) -> None:
    assert RpcCallReply.defaults() == {
        "serviceIdMetaDataAttribute": "serviceId",
        "sessionIdMetaDataAttribute": "sessionId",
        "requestIdMetaDataAttribute": "requestId",
    }
    messages = [message({"time": 1}, **WHO), message("now", **{**WHO, "requestId": "-6"})]
    outcomes = made(RpcCallReply).run(world, messages)
    assert relations(outcomes) == ["Success"] * 2 and [each.msg for each in outcomes] == messages
    assert world.deeds.done == [
        ("answer device", DEVICE, "mqtt", SESSION, 5, {"time": 1}),
        ("answer device", DEVICE, "mqtt", SESSION, -6, "now"),
    ]


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"requestId": ""}, "Request id is not present in the metadata!"),
        ({"serviceId": ""}, "Service id is not present in the metadata!"),
        ({"sessionId": ""}, "Session id is not present in the metadata!"),
        ({"sessionId": "mine"}, "Session id in the metadata is not a UUID: 'mine'."),
        ({"requestId": "five"}, "Request id in the metadata is not a whole number of 32 bits: 'five'."),
        ({"requestId": "4294967296"}, "Request id in the metadata is not a whole number of 32 bits: '4294967296'."),
    ],
)
def test_without_one_of_them_it_fails(world: World, changed: dict[str, str], why: str) -> None:
    assert failed(run_one(made(RpcCallReply), world, message({}, **{**WHO, **changed}))) == why
    assert world.deeds.done == []


def test_only_a_device_is_answered_and_never_with_nothing(world: World) -> None:
    asset = message({}, originator=entity(1, EntityType.ASSET), **WHO)
    assert failed(run_one(made(RpcCallReply), world, asset)) == "Message originator is not a device entity!"
    assert failed(run_one(made(RpcCallReply), world, message(raw=b"", **WHO))) == "Request body is empty!"
