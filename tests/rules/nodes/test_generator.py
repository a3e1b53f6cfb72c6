"""Generator: a message every so many seconds."""

from typing import Any

import pytest

from rules.node import AT_ONCE, CONSUMED, Msg, Wait
from rules.node.later import Tick
from rules.nodes.action.generator import SCRIPT, Generator
from tests.rules.nodes.context import DEVICE, NOW, TENANT, World, device, message
from tests.rules.nodes.later import NODE
from tests.rules.nodes.running import failed, made, run_one
from thingsboard.kernel.ids import EntityId, EntityType

TYPE = "GENERATOR_NODE_SELF_MSG"
NEW = Generator.defaults()


def tick(world: World, ts: int = NOW) -> Msg:
    world.later.armed(ts)
    return message({}, TYPE, originator=NODE)._replace(ts=ts)


def generated(outcome: Any) -> Msg:
    assert isinstance(outcome, Wait) and (outcome.due, outcome.relation) == (AT_ONCE, "Success")
    return outcome.msg


def test_a_tick_makes_a_message_of_the_node_and_arms_the_next_one(world: World) -> None:
    found = generated(run_one(made(Generator, NEW), world, tick(world)))
    assert (found.type, found.originator, found.queue) == ("POST_TELEMETRY_REQUEST", NODE, "Main")
    assert (found.data.value, found.metadata) == ({"temp": 42, "humidity": 77}, {"data": "40"})
    assert world.later.wakes == {NODE: (NOW + 1000, TYPE)} and world.later.values["tick"] == NOW + 1000


def test_it_goes_to_the_queue_of_the_node(world: World) -> None:
    assert generated(run_one(made(Generator, NEW, queue="HighPriority"), world, tick(world))).queue == "HighPriority"


@pytest.mark.parametrize(
    ("configuration", "originator"),
    [
        ({"originatorType": "TENANT"}, EntityId(EntityType.TENANT, TENANT)),
        ({"originatorType": "DEVICE", "originatorId": str(DEVICE.id)}, DEVICE),
    ],
)
def test_it_may_be_in_the_name_of_somebody_else(
    world: World, configuration: dict[str, str], originator: EntityId
) -> None:
    world.known[DEVICE] = device()
    found = generated(run_one(made(Generator, {**NEW, **configuration}), world, tick(world)))
    assert found.originator == originator


def test_in_the_name_of_nobody_of_the_tenant_it_fails_and_tries_again(world: World) -> None:
    node = made(Generator, {**NEW, "originatorType": "DEVICE", "originatorId": str(DEVICE.id)})
    assert failed(run_one(node, world, tick(world))) == f"The originator DEVICE {DEVICE.id} does not exist."
    assert NODE in world.later.wakes


def test_after_so_many_messages_it_stops(world: World) -> None:
    node = made(Generator, {**NEW, "msgCount": 2})
    generated(run_one(node, world, tick(world)))
    due, _ = world.later.tick(NODE)
    generated(run_one(node, world, tick(world, due)))
    assert not world.later.wakes


def test_a_tick_that_is_out_of_date_and_other_messages_do_nothing(world: World) -> None:
    node = made(Generator, NEW)
    old = tick(world)
    world.later.armed(NOW + 1)
    assert node.run(world, [old, message({})]) == [CONSUMED, CONSUMED]
    assert not world.later.wakes


COUNTING = (
    "var n = (prevMsg.n || 0) + 1; "
    "return {msg: {n: n}, metadata: {before: prevMsgType, was: String(prevMetadata.before)}, msgType: 'T' + n};"
)


def test_the_script_gets_what_it_returned_before(world: World) -> None:
    node = made(Generator, {**NEW, "scriptLang": "JS", "jsScript": COUNTING})
    first = generated(run_one(node, world, tick(world)))
    assert (first.type, first.data.value, first.metadata) == ("T1", {"n": 1}, {"before": "", "was": "undefined"})
    second = generated(run_one(node, world, tick(world)))
    assert (second.type, second.data.value, second.metadata) == ("T2", {"n": 2}, {"before": "T1", "was": ""})
    assert first.id != second.id


@pytest.mark.parametrize(
    ("script", "why"),
    [("return 5;", "expected an object"), ("return {msg: {}};", "no msgType"), ("throw Error('no luck');", "no luck")],
)
def test_a_script_that_fails_fails_its_tick_and_is_tried_again(world: World, script: str, why: str) -> None:
    node = made(Generator, {**NEW, "scriptLang": "JS", "jsScript": script})
    assert why in failed(run_one(node, world, tick(world)))
    assert NODE in world.later.wakes and "last" not in world.later.values


def test_it_begins_a_period_after_its_chain_is_saved() -> None:
    assert made(Generator, {**NEW, "periodInSeconds": 9}).begins(NOW) == Tick(NOW + 9000, TYPE)


@pytest.mark.parametrize(
    ("configuration", "why"),
    [
        ({"originatorType": "ALARM"}, "Originator type 'ALARM' is not supported"),
        ({"originatorType": "DEVICE"}, "Originator entity must be selected"),
        ({"originatorType": "DEVICE", "originatorId": "x"}, "Invalid UUID"),
        ({"periodInSeconds": 0}, "periodInSeconds is 0"),
        ({"scriptLang": "LUA"}, "LUA"),
        ({"tbelScript": "return {"}, "line 1"),
    ],
)
def test_what_cannot_work_is_refused_with_a_sentence(configuration: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        made(Generator, {**NEW, **configuration})


def test_older_versions_had_the_queue_in_their_configuration_and_could_lack_an_originator() -> None:
    assert Generator.upgrade(0, {"queueName": "Main", "periodInSeconds": 1}) == {
        "periodInSeconds": 1,
        "originatorType": "RULE_NODE",
    }
    whole = {"originatorType": "ASSET", "originatorId": str(DEVICE.id)}
    assert Generator.upgrade(1, whole) == whole
    assert Generator.upgrade(1, {**whole, "originatorId": " "})["originatorType"] == "RULE_NODE"
    assert SCRIPT.startswith("var msg = { temp: 42, humidity: 77 };")
