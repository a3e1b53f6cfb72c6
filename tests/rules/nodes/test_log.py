"""Log: the default script's text, and no other script yet."""

import pytest

from rules.nodes.action.log import Log
from tests.rules.nodes.context import World, message
from tests.rules.nodes.running import made, run_one

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


@pytest.mark.parametrize(
    ("configuration", "why"),
    [
        ({"jsScript": "return msg.t;"}, "Scripts cannot be run yet"),
        ({"scriptLang": "TBEL", "tbelScript": "return msg.t;"}, "Scripts cannot be run yet"),
        ({"jsScript": ""}, "Scripts cannot be run yet"),
        ({"scriptLang": "COBOL"}, "Unknown script language 'COBOL'; expected JS or TBEL"),
    ],
)
def test_other_scripts_are_refused_with_a_sentence(configuration: dict, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        made(Log, configuration)
