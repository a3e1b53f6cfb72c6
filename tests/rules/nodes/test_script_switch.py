"""Switch: the labels that a script returns."""

import pytest

from rules.nodes.filter.script import ScriptSwitch
from tests.rules.nodes.context import World, message
from tests.rules.nodes.running import failed, made, relations, run_one


def js(script: str) -> ScriptSwitch:
    node = made(ScriptSwitch, {"scriptLang": "JS", "jsScript": script})
    assert isinstance(node, ScriptSwitch)
    return node


def test_the_script_of_a_new_node(world: World) -> None:
    assert ScriptSwitch.defaults()["scriptLang"] == "TBEL"
    node = made(ScriptSwitch, {})
    assert relations([run_one(node, world, message({}))]) == ["two"]
    assert relations(run_one(node, world, message({}, type="OTHER"))) == ["one", "nine"]


def test_a_message_leaves_by_each_label_once(world: World) -> None:
    node = js("return msg.to;")
    msg = message({"to": ["a", "b", "a"]}, stored=True)
    outcome = run_one(node, world, msg)
    assert relations(outcome) == ["a", "b"] and all(each.msg is msg for each in outcome)
    assert relations([run_one(node, world, message({"to": "Ä"}))]) == ["Ä"]
    assert relations([run_one(node, world, message({"to": ["one"]}))]) == ["one"]


def test_an_empty_array_ends_it(world: World) -> None:
    assert run_one(js("return [];"), world, message({})) == ()


def test_a_batch_is_one_question(world: World) -> None:
    outcomes = js("return msg.to;").run(world, [message({"to": n}) for n in ("a", 5, "b")])
    assert relations(outcomes) == ["a", "Failure", "b"]
    assert world.asked == ["evaluate"]


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("return 1;", "Wrong result type: the script returned a number; expected a label or an array of labels."),
        ("return;", "Wrong result type: the script returned null; expected a label or an array of labels."),
        ("return ['a', null];", "Wrong result type: the array holds null; expected labels, which are strings."),
        ("return ['a', 1];", "Wrong result type: the array holds a number; expected labels, which are strings."),
        ("return 'x'.repeat(256);", "A label has 256 characters; at most 255 are accepted."),
        ("throw new Error('ha');", "Error: ha (line 1)"),
    ],
)
def test_other_results_and_errors_leave_by_failure(world: World, script: str, why: str) -> None:
    assert failed(run_one(js(script), world, message({}))) == why
