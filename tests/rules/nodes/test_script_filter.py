"""Script filter: true, false, and everything else."""

import pytest

from rules.nodes.filter.script import ScriptFilter
from tests.rules.nodes.context import World, message
from tests.rules.nodes.running import failed, made, relations, run_one


def js(script: str) -> ScriptFilter:
    node = made(ScriptFilter, {"scriptLang": "JS", "jsScript": script})
    assert isinstance(node, ScriptFilter)
    return node


def test_a_new_node_compares_a_temperature_in_tbel() -> None:
    script = "return msg.temperature > 20;"
    assert ScriptFilter.defaults() == {"scriptLang": "TBEL", "jsScript": script, "tbelScript": script}


def test_a_saved_node_without_a_language_is_in_javascript(world: World) -> None:
    outcomes = made(ScriptFilter, {}).run(world, [message({"temperature": n}) for n in (19, 21)])
    assert relations(outcomes) == ["False", "True"]


def test_body_metadata_and_type_are_arguments_and_a_batch_is_one_question(world: World) -> None:
    node = js("return msg.t > 20 && metadata.deviceType === 'Ä' && msgType == 'POST_TELEMETRY_REQUEST';")
    hot, cold = message({"t": 21}, deviceType="Ä"), message({"t": 19}, deviceType="Ä")
    outcomes = node.run(world, [hot, cold, message({"t": 21}), message({"t": 21}, type="X", deviceType="Ä"), hot])
    assert relations(outcomes) == ["True", "False", "False", "False", "True"]
    assert world.asked == ["evaluate"]


def test_the_message_goes_on_as_it_is_whatever_the_script_did_with_it(world: World) -> None:
    msg = message({"t": 1}, stored=True)
    assert run_one(js("msg.t = 2; metadata.x = 'y'; msgType = 'Z'; return true;"), world, msg).msg is msg


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("return 1;", "Wrong result type: the script returned a number; expected true or false."),
        ("return 'true';", "Wrong result type: the script returned a string; expected true or false."),
        ("return null;", "Wrong result type: the script returned null; expected true or false."),
        ("msg.t > 1;", "Wrong result type: the script returned null; expected true or false."),
        ("return [true];", "Wrong result type: the script returned an array; expected true or false."),
        ("return {a: 1};", "Wrong result type: the script returned an object; expected true or false."),
        ("return msg.a.b;", "TypeError: cannot read property 'b' of undefined (line 1)"),
        ("\nreturn msg.;", "SyntaxError: expecting field name (line 2)"),
        ("for (;;);", "The script ran longer than 200 ms."),
    ],
)
def test_other_results_and_errors_leave_by_failure(world: World, script: str, why: str) -> None:
    assert failed(run_one(js(script), world, message({"t": 1}))) == why


def test_an_error_fails_its_own_message(world: World) -> None:
    outcomes = js("return msg.a.b > 1;").run(world, [message({"a": {"b": n}} if n else {}) for n in (2, 0, 1)])
    assert relations(outcomes) == ["True", "Failure", "False"]


@pytest.mark.parametrize("raw", [b"", b"no json", b'{"t":'])
def test_a_body_that_is_no_json_leaves_by_failure(world: World, raw: bytes) -> None:
    assert failed(run_one(js("return true;"), world, message(raw=raw))) == "The message is not valid JSON."


@pytest.mark.parametrize("raw", [b"5", b'"text"', b"null", b"[1]"])
def test_a_body_may_be_any_json(world: World, raw: bytes) -> None:
    node = js("return msg === 5 || msg === 'text' || msg === null || msg[0] === 1;")
    assert relations([run_one(node, world, message(raw=raw))]) == ["True"]


@pytest.mark.parametrize(
    ("configuration", "why"),
    [
        ({"scriptLang": "COBOL"}, "Unknown script language 'COBOL'; expected JS or TBEL"),
        ({"jsScript": "x" * 200_001}, "has 200001 characters"),
        ({"jsScript": 5}, "jsScript"),
    ],
)
def test_settings_that_cannot_be_used_are_refused_with_a_sentence(configuration: dict, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        made(ScriptFilter, configuration)
