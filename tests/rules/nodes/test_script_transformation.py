"""Script transformation: what replaces body, metadata and type, and how many messages there are."""

from typing import Any

import pytest

from rules.nodes.transformation.script import ScriptTransformation
from tests.rules.nodes.context import World, message
from tests.rules.nodes.running import failed, made, relations, run_one


def js(script: str) -> ScriptTransformation:
    node = made(ScriptTransformation, {"scriptLang": "JS", "jsScript": script})
    assert isinstance(node, ScriptTransformation)
    return node


def test_a_new_node_changes_nothing_in_tbel() -> None:
    same = "return {msg: msg, metadata: metadata, msgType: msgType};"
    assert ScriptTransformation.defaults() == {"scriptLang": "TBEL", "jsScript": same, "tbelScript": same}


def test_what_the_script_says_replaces_that_of_the_message(world: World) -> None:
    node = js("return {msg: {f: msg.c * 9 / 5 + 32}, metadata: {unit: metadata.unit + 'F'}, msgType: 'NEW'};")
    before = message({"c": 100}, unit="°", ts="5", stored=True)
    outcome = run_one(node, world, before)
    assert outcome.relation == "Success"
    after = outcome.msg
    assert (after.data.value, after.metadata, after.type) == ({"f": 212}, {"unit": "°F"}, "NEW")
    assert (after.id, after.ts, after.originator, after.queue) == (
        before.id,
        before.ts,
        before.originator,
        before.queue,
    )
    assert not after.stored


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("return {};", ({"t": 1}, {"a": "b"}, "POST_TELEMETRY_REQUEST")),
        ("return {msg: 'text'};", ("text", {"a": "b"}, "POST_TELEMETRY_REQUEST")),
        ("return {msg: null};", (None, {"a": "b"}, "POST_TELEMETRY_REQUEST")),
        (
            "return {msg: undefined, metadata: undefined, msgType: undefined};",
            ({"t": 1}, {"a": "b"}, "POST_TELEMETRY_REQUEST"),
        ),
        ("return {msg: [1, {}]};", ([1, {}], {"a": "b"}, "POST_TELEMETRY_REQUEST")),
        ("return {metadata: null, msgType: null};", ({"t": 1}, {"a": "b"}, "POST_TELEMETRY_REQUEST")),
        ("return {metadata: {}};", ({"t": 1}, {}, "POST_TELEMETRY_REQUEST")),
        (
            "return {metadata: {s: 'x', i: 5, f: 1.5, yes: true, no: null, nothing: undefined}};",
            ({"t": 1}, {"s": "x", "i": "5", "f": "1.5", "yes": "true"}, "POST_TELEMETRY_REQUEST"),
        ),
        ("return {msgType: ''};", ({"t": 1}, {"a": "b"}, "POST_TELEMETRY_REQUEST")),
        ("return {msgType: 7};", ({"t": 1}, {"a": "b"}, "7")),
        ("return {other: 1};", ({"t": 1}, {"a": "b"}, "POST_TELEMETRY_REQUEST")),
        ("return [{msgType: 'ONE'}];", ({"t": 1}, {"a": "b"}, "ONE")),
        (
            "metadata.more = 'c'; msg.t++; return {msg, metadata};",
            ({"t": 2}, {"a": "b", "more": "c"}, "POST_TELEMETRY_REQUEST"),
        ),
        ("undeclared = {msg: {}}; return undeclared;", ({}, {"a": "b"}, "POST_TELEMETRY_REQUEST")),
    ],
)
def test_what_is_missing_stays_and_values_of_the_metadata_become_strings(
    world: World, script: str, expected: tuple[Any, ...]
) -> None:
    after = run_one(js(script), world, message({"t": 1}, a="b")).msg
    assert (after.data.value, after.metadata, after.type) == expected


def test_the_text_of_the_body_is_that_of_the_script(world: World) -> None:
    after = run_one(js("return {msg: msg};"), world, message(raw=b'{ "t": 1.50 }')).msg
    assert after.data.raw == b'{"t":1.5}'


def test_an_array_makes_as_many_messages(world: World) -> None:
    node = js("return msg.map((each) => ({msg: each}));")
    outcomes = node.run(world, [message([1, 2, 3]), message([]), message([4])])
    assert [each.msg.data.value for each in outcomes[0]] == [1, 2, 3]
    assert relations(outcomes[0]) == ["Success"] * 3
    assert failed(outcomes[1]) == "The script returned an empty array; expected one message or more."
    assert outcomes[2].relation == "Success" and outcomes[2].msg.data.value == 4
    assert world.asked == ["evaluate"]


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("return;", "Wrong result type: the script returned null; expected an object with msg, metadata and msgType"),
        ("return 'text';", "Wrong result type: the script returned a string"),
        ("return [{}, 1];", "Wrong result type: the array holds something else than objects."),
        ("return {metadata: 'text'};", "Wrong result type: metadata is a string; expected an object."),
        ("return {metadata: []};", "Wrong result type: metadata is an array; expected an object."),
        (
            "return {metadata: {a: {b: 1}}};",
            "Wrong result type: metadata.a is an object; expected a string, a number or a boolean.",
        ),
        ("return {msgType: {}};", "Wrong result type: msgType is an object; expected a string, a number or a boolean."),
        ("return {msgType: 'x'.repeat(256)};", "msgType has 256 characters; at most 255 are accepted."),
        ("return {metadata: {a: '\\ud800'}};", "The result of the script cannot be read"),
        ("return {msg: msg.a.b};", "TypeError: cannot read property 'b' of undefined (line 1)"),
    ],
)
def test_other_results_and_errors_leave_by_failure(world: World, script: str, why: str) -> None:
    msg = message({"t": 1}, a="b")
    outcome = run_one(js(script), world, msg)
    assert failed(outcome).startswith(why)
    assert outcome.msg.data is msg.data
