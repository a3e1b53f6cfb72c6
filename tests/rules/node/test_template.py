"""Templates: what is filled in, and what remains."""

import pytest

from rules.node.template import Template
from tests.rules.nodes.context import message

BODY = {
    "a": {"b": {"c": "deep"}, "list": [1], "x.y": 2},
    "n": 7,
    "f": 25.5,
    "on": True,
    "nothing": None,
    "text": "${m}",
}


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("plain", "plain"),
        ("", ""),
        ("${m}", "M"),
        ("<${m}|${m}>", "<M|M>"),
        ("$[a.b.c]", "deep"),
        ("${m} of $[n]", "M of 7"),
        ("$[f] $[on] $[nothing]", "25.5 true null"),
        ("${key with spaces}", "yes"),
    ],
)
def test_places_are_filled_from_metadata_and_body(text: str, filled: str) -> None:
    assert Template(text).fill(message(BODY, m="M", **{"key with spaces": "yes"})) == filled


@pytest.mark.parametrize(
    "text",
    [
        "${absent}",
        "$[absent]",
        "$[a]",
        "$[a.b]",
        "$[a.list]",
        "$[a.list.0]",
        "$[a.x.y]",
        "$[a..b]",
        "$[.a]",
        "${",
        "$[n",
        "$n",
        "${}",
    ],
)
def test_what_is_not_there_or_no_leaf_remains_as_it_is(text: str) -> None:
    assert Template(text).fill(message(BODY)) == text


def test_a_star_is_all_of_it() -> None:
    msg = message({"b": 1, "a": [None]}, m="Ä")
    assert Template("${*} $[*]").fill(msg) == '{"m":"Ä"} {"b":1,"a":[null]}'
    assert Template("${*}").fill(message({})) == "{}"
    assert Template("$[*]").fill(message([1])) == "[1]"


def test_what_was_filled_in_is_never_a_template_again() -> None:
    assert Template("$[text] ${k}").fill(message(BODY, m="M", k="$[n]")) == "${m} $[n]"


def test_a_body_that_is_no_object_fills_nothing_and_one_that_is_no_json_is_an_error() -> None:
    assert Template("$[a]").fill(message([1])) == "$[a]"
    assert Template("${m}").fill(message(raw=b"{", m="M")) == "M"
    with pytest.raises(ValueError):
        Template("$[a]").fill(message(raw=b"{"))


def test_a_text_without_places_is_known_to_be_constant() -> None:
    assert Template("General Alarm").constant
    assert not Template("${m}").constant


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.0, "0.0"),
        (-0.0, "-0.0"),
        (1.0, "1.0"),
        (0.001, "0.001"),
        (9999999.0, "9999999.0"),
        (1e7, "1.0E7"),
        (-12345678.9, "-1.23456789E7"),
        (1e15, "1.0E15"),
        (1e22, "1.0E22"),
        (1.5e300, "1.5E300"),
        (0.0001, "1.0E-4"),
        (0.00012, "1.2E-4"),
        (-1e-7, "-1.0E-7"),
        (2.5e-10, "2.5E-10"),
    ],
)
def test_numbers_are_written_as_java_does(number: float, text: str) -> None:
    assert Template("$[n]").fill(message(raw=b'{"n":%s}' % repr(number).encode())) == text
