"""JSON path: one place gives what is there, many give an array, nothing fails."""

import json

import pytest

from rules.node.json_path import LONGEST
from rules.nodes.transformation.json_path import JsonPathNode
from tests.rules.nodes.context import World, message
from tests.rules.nodes.running import failed, made, relations, run_one

BODY = {
    "name": "A",
    "none": None,
    "attributes": [{"t": 5, "place": "hall"}, {"t": 25, "place": "Hall"}, {"t": 30}],
    "settings": {"limit": 20, "white space": {"x": [1, 2, 3]}},
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("$.name", "A"),
        ("name", "A"),
        ("  $.name ", "A"),
        ("@.name", "A"),
        ("$['name']", "A"),
        ("$.none", None),
        ("$.settings", BODY["settings"]),
        ("$.settings['white space'].x[1]", 2),
        ("$.settings['white space'].x[-1]", 3),
        ("attributes[0].place", "hall"),
        ("$.attributes[*].t", [5, 25, 30]),
        ("$.attributes[0:2].t", [5, 25]),
        ("$.attributes[0,2].t", [5, 30]),
        ("$.attributes[*].place", ["hall", "Hall"]),
        ("$..t", [5, 25, 30]),
        ("$..nothing", []),
        ("$.settings.*", [20, {"x": [1, 2, 3]}]),
        ("$.attributes[?(@.t > 20)]", [{"t": 25, "place": "Hall"}, {"t": 30}]),
        ("$.attributes[?(@.t > 20 && @.place == 'Hall')].t", [25]),
        ("$.attributes[?(@.t == 5 || @.t == 30)].t", [5, 30]),
        ("$.attributes[?(@.place)].t", [5, 25]),
        ("$.attributes[?(!@.place)].t", [30]),
        ("$.attributes[?(@.place =~ /ha.*/i)].t", [5, 25]),
        ("$.attributes[?(@.place =~ /ha/)].t", []),
        ("$.attributes[?(@.t > $.settings.limit)].t", [25, 30]),
        ("$.attributes[?(@.t in [5, 30])].t", [5, 30]),
        ("$.attributes[?(@.t > 100)]", []),
        ("$.attributes[?(@['t'] > 24.5)].t", [25, 30]),
        ("$['attributes'][?(@['place'] == '].x[')]", []),
        ("$.settings['limit', 'absent']", {"limit": 20}),
        ("$.attributes[*]['t', 'place']", [{"t": 5, "place": "hall"}, {"t": 25, "place": "Hall"}, {"t": 30}]),
        ("$.attributes.length()", 3),
        ("$.settings.size()", 2),
        ("$.name.length()", None),
        ("$.settings.keys()", ["limit", "white space"]),
        ("$..t.sum()", 60.0),
        ("$..t.avg()", 20.0),
        ("$..t.min()", 5.0),
        ("$..t.max()", 30.0),
        ("$.settings['white space'].x.stddev()", pytest.approx(0.8164965809)),
        ("$.attributes.first()", {"t": 5, "place": "hall"}),
        ("$.attributes.last()", {"t": 30}),
        ("$.attributes.index(1)", {"t": 25, "place": "Hall"}),
    ],
)
def test_the_body_becomes_what_the_path_finds(world: World, path: str, found: object) -> None:
    outcome = run_one(made(JsonPathNode, {"jsonPath": path}), world, message(BODY, ts="5"))
    assert (outcome.relation, outcome.msg.metadata) == ("Success", {"ts": "5"})
    assert outcome.msg.data.value == found
    assert json.loads(outcome.msg.data.raw) == found


@pytest.mark.parametrize(
    "name", ["a-b", "1st", "a:b", "a/b", "a@b", "a$", "4-20mA", "it's", "\\", "ключ", "null", "length", "#"]
)
def test_names_behind_points_need_no_quotes(world: World, name: str) -> None:
    body = {"o": {name: {"x": [{"y": 1}]}}}
    for path in (f"$.o.{name}.x[?(@.y == 1)].y", f"o.{name}.x[*].y", f"$..{name}..y"):
        assert run_one(made(JsonPathNode, {"jsonPath": path}), world, message(body)).msg.data.value == [1]


def test_the_default_path_leaves_the_message_as_it_came(world: World) -> None:
    stored = message(raw=b"no json", stored=True)
    assert run_one(made(JsonPathNode, JsonPathNode.defaults()), world, stored) == ("Success", stored, "")


@pytest.mark.parametrize(
    "path",
    [
        "$.absent", "$.name.x", "$.attributes.t", "$.attributes[3]", "$.absent[*]", "$.absent..x", "$.settings[0]",
        "$.absent.length()", "$.absent['a', 'b']",
    ],
)  # fmt: skip
def test_what_is_not_there_fails_with_the_message_as_it_was(world: World, path: str) -> None:
    outcome = run_one(made(JsonPathNode, {"jsonPath": path}), world, message(BODY))
    assert failed(outcome) == f"No results for path: {path}"
    assert outcome.msg.data.value == BODY


@pytest.mark.parametrize(("path", "why"), [("$.name.sum()", "empty array"), ("$.attributes.index(9)", "none at 9")])
def test_a_function_without_a_result_fails(world: World, path: str, why: str) -> None:
    assert why in failed(run_one(made(JsonPathNode, {"jsonPath": path}), world, message(BODY)))


@pytest.mark.parametrize(
    "path",
    [
        "", " ", "$.", "$..", "$[", "$.a b", "$.a | $.b", "$.a & $.b", "$.a[?(@..b)]", "$.a[?(@.b[*] == 1)]",
        "$.a[?length(@.b) > 1]", "$.a[?(@.b =~ /(/)]", "$.a.explode()", "$.a.index()", "$.a.length(1)", "$." + "a" * LONGEST,
        "$" + "[?(@" * 200,
    ],
)  # fmt: skip
def test_what_is_no_path_is_refused_when_the_node_is_made(path: str) -> None:
    with pytest.raises(ValueError, match="JSONPath"):
        made(JsonPathNode, {"jsonPath": path})


def test_a_path_that_takes_too_many_steps_fails_its_message_alone(world: World) -> None:
    node = made(JsonPathNode, {"jsonPath": "$..*..*..*"})
    many, few = node.run(world, [message([[[1] * 20] * 20] * 100), message([[1]])])
    assert "takes more than 50000 steps" in failed(many)
    assert few.relation == "Success"


def test_a_path_that_finds_the_same_again_and_again_fails_its_message(world: World) -> None:
    often = "[" + ",".join("0" * 100) + "]"
    outcome = run_one(made(JsonPathNode, {"jsonPath": f"${often}{often}"}), world, message([["x" * 60_000]]))
    assert "finds more than 4194304 bytes" in failed(outcome)


def test_a_document_that_is_too_deep_and_a_slow_regular_expression_fail(world: World) -> None:
    deep = message(raw=b"[" * 300 + b"]" * 300)
    assert "cannot be applied" in failed(run_one(made(JsonPathNode, {"jsonPath": "$..a"}), world, deep))
    slow = made(JsonPathNode, {"jsonPath": "$[?(@.k =~ /(.*?,){12}P/)]"})
    assert "takes too long" in failed(run_one(slow, world, message([{"k": "1," * 40}])))


def test_a_batch_has_an_outcome_for_each_and_only_a_broken_body_fails(world: World) -> None:
    node = made(JsonPathNode, {"jsonPath": "$.t"})
    outcomes = node.run(world, [message({"t": 1}), message(raw=b"{"), message({"x": 1}), message({"t": [2]})])
    assert relations(outcomes) == ["Success", "Failure", "Failure", "Success"]
    assert outcomes[3].msg.data.value == [2]
