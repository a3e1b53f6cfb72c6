"""RPC call request: a device is called, and its answer goes on."""

import uuid
from typing import Any

import pytest

from rules.node import Emit, Wait
from rules.nodes.action.rpc_call_request import RpcCallRequest
from tests.rules.nodes.context import DEVICE, NOW, World, entity, message
from tests.rules.nodes.running import failed, made, relations, run_one
from thingsboard.kernel.ids import EntityType

CALL = {"method": "setGpio", "params": {"pin": "23", "value": 1}}
REQUEST = "5f0a1c00-0000-11ee-8000-0000000000bb"
NODE = made(RpcCallRequest, RpcCallRequest.defaults())


@pytest.mark.parametrize(("online", "error"), [(True, "TIMEOUT"), (False, "NO_ACTIVE_CONNECTION")])
def test_the_message_waits_for_the_answer_and_without_one_says_why(world: World, online: bool, error: str) -> None:
    world.later.online = {DEVICE} if online else set()
    outcome = run_one(NODE, world, message(CALL, "RPC_CALL_FROM_SERVER_TO_DEVICE", requestUUID=REQUEST, x="1"))
    assert isinstance(outcome, Wait)
    assert (outcome.due, outcome.relation, outcome.key) == (NOW + 60_000, "Failure", uuid.UUID(REQUEST))
    assert outcome.msg.data.value == {"error": error}
    assert outcome.msg.metadata == {"requestUUID": REQUEST, "x": "1", "error": error}
    (call,) = world.later.calls
    assert (call.id, call.device, call.method, call.params) == (
        uuid.UUID(REQUEST), DEVICE, "setGpio", '{"pin":"23","value":1}',
    )  # fmt: skip
    assert not call.oneway and not call.persistent and call.expires == NOW + 60_000


def test_what_the_message_says_goes_before_what_is_configured(world: World) -> None:
    body = {**CALL, "params": "on", "requestId": "7", "additionalInfo": {"by": "me"}}
    outcome = run_one(NODE, world, message(body, oneway="TRUE", expirationTime=str(NOW + 5), retries="3"))
    assert isinstance(outcome, Wait) and outcome.due == NOW + 5
    (call,) = world.later.calls
    assert (call.number, call.params, call.oneway, call.retries) == (7, "on", True, 3)
    assert call.additional_info == '{"by":"me"}'
    assert call.id == outcome.key


def test_a_persistent_call_is_kept_and_the_message_goes_on_with_its_id(world: World) -> None:
    outcome = run_one(NODE, world, message(CALL, persistent="true", requestUUID=REQUEST))
    assert isinstance(outcome, Emit) and outcome.relation == "Success"
    assert outcome.msg.data.value == {"rpcId": REQUEST}
    assert world.later.calls[0].persistent


def test_what_cannot_be_kept_fails_its_message_alone(world: World) -> None:
    said = {"persistent": "true", "requestUUID": REQUEST}
    outcomes = NODE.run(world, [message(CALL, **said), message(CALL, **said), message(CALL, persistent="true")])
    assert relations(outcomes) == ["Success", "Failure", "Success"]
    assert failed(outcomes[1]) == "A request with this id exists already!"


def test_a_call_whose_time_is_over_is_not_made(world: World) -> None:
    outcome = run_one(NODE, world, message(CALL, expirationTime=str(NOW)))
    assert isinstance(outcome, Wait) and outcome.due <= NOW
    assert not world.later.calls


@pytest.mark.parametrize(
    ("body", "metadata", "why"),
    [
        ({"params": {}}, {}, "Method is not present in the message!"),
        ({"method": "a"}, {}, "Params are not present in the message!"),
        ({"method": 5, "params": {}}, {}, "The method is not a text."),
        ([], {}, "The message body is not a JSON object."),
        (CALL, {"requestUUID": "7"}, "Invalid UUID string: 7"),
        (CALL, {"expirationTime": "soon"}, "expirationTime is 'soon'"),
        (CALL, {"expirationTime": str(10**18)}, "expirationTime is '1000000000000000000'"),
        (CALL, {"retries": "-1"}, "retries is '-1'"),
        ({**CALL, "requestId": {}}, {}, "requestId is '{}'"),
    ],
)
def test_what_is_no_call_fails_with_a_sentence(world: World, body: Any, metadata: dict[str, str], why: str) -> None:
    bad, good = NODE.run(world, [message(body, **metadata), message(CALL)])
    assert failed(bad).startswith(why)
    assert isinstance(good, Wait) and len(world.later.calls) == 1


def test_only_devices_are_called(world: World) -> None:
    msg = message(CALL, originator=entity(type=EntityType.ASSET))
    assert failed(run_one(NODE, world, msg)) == "Message originator is not a device entity!"


@pytest.mark.parametrize(("params", "text"), [(None, "null"), (True, "true"), (5, "5"), ([1], "[1]"), ("x", "x")])
def test_params_are_told_as_text(world: World, params: Any, text: str) -> None:
    run_one(NODE, world, message({"method": "m", "params": params}))
    assert world.later.calls[0].params == text


def test_many_devices_are_asked_about_at_once(world: World) -> None:
    NODE.run(world, [message(CALL, originator=entity(number)) for number in range(100)])
    assert world.later.asked == ["connected"]
