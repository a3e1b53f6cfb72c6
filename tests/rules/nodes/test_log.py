"""Log: the default script's text, and what other scripts return."""

import pytest

from rules.nodes.action.log import Log
from tests.rules.nodes.context import World, message
from tests.rules.nodes.running import failed, made, relations, run_one

SCRIPT = (
    "return '\\nIncoming message:\\n' + JSON.stringify(msg) + '\\nIncoming metadata:\\n' + JSON.stringify(metadata);"
)
EXPORTED = {"scriptLang": "TBEL", "jsScript": SCRIPT, "tbelScript": SCRIPT}


def test_the_default_script_writes_body_and_metadata_as_they_are(world: World) -> None:
    node = made(Log, EXPORTED)
    outcomes = node.run(world, [message(raw=b'{"t": 1.50}', deviceName="Ä"), message([1])])
    assert [outcome.relation for outcome in outcomes] == ["Success", "Success"]
    assert world.lines == [
        '\nIncoming message:\n{"t": 1.50}\nIncoming metadata:\n{"deviceName":"Ä"}',
        "\nIncoming message:\n[1]\nIncoming metadata:\n{}",
    ]


def test_the_message_goes_on_as_it_is(world: World) -> None:
    msg = message({"t": 1}, stored=True)
    assert run_one(made(Log, EXPORTED), world, msg).msg is msg


@pytest.mark.parametrize(
    "configuration",
    [
        {"jsScript": SCRIPT.replace(" ", "  ") + "\n"},
        {"jsScript": SCRIPT, "tbelScript": "return 1;"},
        {"scriptLang": "TBEL", "jsScript": "return 1;", "tbelScript": SCRIPT},
        {"scriptLang": None},
    ],
)
def test_white_space_and_the_script_of_the_other_language_do_not_matter(configuration: dict) -> None:
    made(Log, configuration)


def test_the_default_script_is_not_run(world: World) -> None:
    made(Log, {"jsScript": SCRIPT}).run(world, [message({"t": 1})])
    assert world.asked == []


def test_another_script_says_what_is_written(world: World) -> None:
    node = made(Log, {"jsScript": "return `${msgType} of ${metadata.deviceName}: ${msg.t}`;"})
    outcomes = node.run(world, [message({"t": 1}, deviceName="A"), message({"t": 2}, deviceName="Ä")])
    assert relations(outcomes) == ["Success", "Success"]
    assert world.lines == ["POST_TELEMETRY_REQUEST of A: 1", "POST_TELEMETRY_REQUEST of Ä: 2"]
    assert world.asked == ["evaluate"]


def test_what_is_no_string_fails(world: World) -> None:
    node = made(Log, {"jsScript": "return msg.t;"})
    outcomes = node.run(world, [message({"t": 1}), message({"t": "x"}), message({"t": {}})])
    assert relations(outcomes) == ["Failure", "Success", "Failure"]
    assert failed(outcomes[0]) == "Wrong result type: the script returned a number; expected a string."
    assert world.lines == ["x"]


def test_an_unknown_language_is_refused_with_a_sentence() -> None:
    with pytest.raises(ValueError, match="Unknown script language 'COBOL'; expected JS or TBEL"):
        made(Log, {"scriptLang": "COBOL"})
