"""Math function: operations, arguments, results, and that messages of an originator see each other's results."""

import math
from typing import Any

import pytest

from rules.node.base import ATTRIBUTES, TELEMETRY
from rules.node.math_operations import OPERATIONS, rounded
from rules.nodes.action.math_function import MathFunction
from telemetry.points import Attribute, Json, Point, Scope
from tests.rules.nodes.context import DEVICE, NOW, World, entity, message
from tests.rules.nodes.running import failed, made, relations, run_one


def argument(type: str, key: str, name: str = "x", **more: Any) -> dict[str, Any]:
    return {"name": name, "type": type, "key": key, "attributeScope": None, "defaultValue": None, **more}


def result(type: str = "MESSAGE_BODY", key: str = "r", precision: int = 2, **more: Any) -> dict[str, Any]:
    return {
        "type": type,
        "key": key,
        "resultValuePrecision": precision,
        "addToBody": False,
        "addToMetadata": False,
        **more,
    }


def custom(function: str, *arguments: dict[str, Any], **of_result: Any) -> dict[str, Any]:
    return {
        "operation": "CUSTOM",
        "customFunction": function,
        "arguments": list(arguments),
        "result": result(**of_result),
    }


class Remembering(World):
    """A world in which what is saved is there."""

    def save_attributes(self, entity: Any, scope: Scope, values: dict[str, Any], **options: Any) -> None:  # type: ignore[override]
        super().save_attributes(entity, scope, values, **options)
        there = self.stored_attributes.setdefault((entity, scope), {})
        there.update({key: Attribute(key, scope, value, self.clock) for key, value in values.items()})

    def save_points(self, entity: Any, readings: Any, ttl_s: int = 0, **options: Any) -> None:  # type: ignore[override]
        super().save_points(entity, readings, ttl_s, **options)
        there = self.stored_latest.setdefault(entity, {})
        there.update({key: Point(ts, value) for ts, values in readings for key, value in values.items()})


@pytest.fixture
def world() -> Remembering:
    return Remembering()


def test_a_new_node_makes_celsius_of_fahrenheit(world: World) -> None:
    outcome = run_one(made(MathFunction, MathFunction.defaults()), world, message({"temperature": 77.5}))
    assert (outcome.relation, outcome.msg.data.value) == ("Success", {"temperature": 77.5, "temperatureCelsius": 25.28})
    assert world.asked == []


@pytest.mark.parametrize(
    ("operation", "values", "value"),
    [
        ("ADD", (1, 2), 3), ("SUB", (1, 2), -1), ("MULT", (3, 2), 6), ("DIV", (3, 2), 1.5), ("SIN", (1,), math.sin(1)),
        ("SINH", (1,), math.sinh(1)), ("COS", (1,), math.cos(1)), ("COSH", (1,), math.cosh(1)), ("TAN", (1,), math.tan(1)),
        ("TANH", (1,), math.tanh(1)), ("ACOS", (0.5,), math.acos(0.5)), ("ASIN", (0.5,), math.asin(0.5)),
        ("ATAN", (1,), math.atan(1)), ("ATAN2", (1, 2), math.atan2(1, 2)), ("EXP", (1,), math.e), ("EXPM1", (1,), math.e - 1),
        ("SQRT", (16,), 4), ("CBRT", (27,), 3), ("GET_EXP", (10,), 3), ("GET_EXP", (0,), -1023), ("GET_EXP", (0.3,), -2),
        ("HYPOT", (3, 4), 5), ("LOG", (math.e,), 1), ("LOG10", (1000,), 3), ("LOG1P", (0,), 0), ("CEIL", (1.2,), 2),
        ("CEIL", (-1.2,), -1), ("FLOOR", (1.8,), 1), ("FLOOR", (-1.2,), -2), ("FLOOR_DIV", (-7, 2), -4),
        ("FLOOR_DIV", (7.9, 2.9), 3), ("FLOOR_MOD", (-7, 3), 2), ("FLOOR_MOD", (7, -3), -2), ("ABS", (-3,), 3),
        ("MIN", (1, 2), 1), ("MAX", (1, 2), 2), ("POW", (2, 10), 1024), ("SIGNUM", (-3,), -1), ("SIGNUM", (0,), 0),
        ("RAD", (180,), math.pi), ("DEG", (math.pi,), 180),
    ],
)  # fmt: skip
def test_every_operation_computes(world: World, operation: str, values: tuple[float, ...], value: float) -> None:
    arguments = [argument("MESSAGE_BODY", name, name) for name in ("x", "y")[: len(values)]]
    node = made(MathFunction, {"operation": operation, "arguments": arguments, "result": result(precision=6)})
    body = dict(zip(("x", "y"), values, strict=False))
    found = run_one(node, world, message(body)).msg.data.value["r"]
    assert found == pytest.approx(value, abs=1e-6)
    assert isinstance(found, int) == (operation in ("CEIL", "FLOOR", "GET_EXP"))


def test_no_operation_is_forgotten() -> None:
    assert len(OPERATIONS) == 34
    with pytest.raises(ValueError, match=r"Unknown operation .SQUARE.; expected one of ADD, .*, CUSTOM"):
        made(MathFunction, {"operation": "SQUARE"})


@pytest.mark.parametrize(
    ("operation", "values"), [("DIV", (1, 0)), ("LOG", (-1,)), ("ASIN", (2,)), ("POW", (-8, 0.5)), ("EXP", (1e4,))]
)
def test_a_result_that_is_no_number_fails(world: World, operation: str, values: tuple[float, ...]) -> None:
    arguments = [argument("CONSTANT", str(value), f"x{value}") for value in values]
    node = made(MathFunction, {"operation": operation, "arguments": arguments, "result": result()})
    assert failed(run_one(node, world, message({}))) == "The result is infinite or not a number."


@pytest.mark.parametrize("operation", ["FLOOR_DIV", "FLOOR_MOD"])
def test_whole_numbers_are_not_divided_by_zero(world: World, operation: str) -> None:
    arguments = [argument("CONSTANT", "7"), argument("CONSTANT", "0.5", "y")]
    node = made(MathFunction, {"operation": operation, "arguments": arguments, "result": result()})
    assert failed(run_one(node, world, message({}))) == "/ by zero"


@pytest.mark.parametrize(
    ("value", "places", "found"),
    [
        (2.345, 2, 2.35), (-2.345, 2, -2.35), (2.5, 0, 2), (-2.9, 0, -2), (1234.5, -2, 1200.0), (1e300, 2, 1e300),
        (5e-324, 400, 5e-324), (1 / 3, 5, 0.33333), (math.inf, 0, 2**63 - 1), (-math.inf, 0, -(2**63)), (math.nan, 0, 0),
        (1e19, 0, 2**63 - 1), (0.1 + 0.2, 17, 0.30000000000000004),
    ],
)  # fmt: skip
def test_results_are_rounded_as_java_does(value: float, places: int, found: float) -> None:
    assert rounded(value, places, whole=False) == found
    assert isinstance(rounded(value, places, whole=False), int) == (places == 0)


def test_arguments_come_from_everywhere(world: World) -> None:
    for scope, value in ((Scope.SERVER, 100), (Scope.SHARED, "1000"), (Scope.CLIENT, 10_000.0)):
        world.stored_attributes[DEVICE, scope] = {"a": Attribute("a", scope, value, 1)}
    world.stored_latest[DEVICE] = {"total": Point(1, 100_000)}
    node = made(
        MathFunction,
        custom(
            "b + m + s + h + c + t + k + d",
            argument("MESSAGE_BODY", "${key}", "b"),
            argument("MESSAGE_METADATA", "m", "m"),
            argument("ATTRIBUTE", "a", "s"),
            argument("ATTRIBUTE", "$[attribute]", "h", attributeScope="SHARED_SCOPE"),
            argument("ATTRIBUTE", "a", "c", attributeScope="CLIENT_SCOPE"),
            argument("TIME_SERIES", "total", "t"),
            argument("CONSTANT", "1000000", "k"),
            argument("ATTRIBUTE", "absent", "d", defaultValue=10_000_000),
        ),
    )
    outcome = run_one(node, world, message({"v": "1", "attribute": "a"}, key="v", m="10"))
    assert outcome.msg.data.value["r"] == 11_111_111.0
    assert sorted(world.asked) == ["attributes", "attributes", "attributes", "latest"]


@pytest.mark.parametrize(
    ("wanted", "body", "why"),
    [
        (argument("MESSAGE_BODY", "v"), {}, "Message body has no 'v'!"),
        (argument("MESSAGE_BODY", "v"), {"v": None}, "Message body has null 'v'!"),
        (argument("MESSAGE_BODY", "v"), {"v": " "}, "Message value is empty for 'v'!"),
        (argument("MESSAGE_BODY", "v"), {"v": "hot"}, "Can't convert value 'hot' to double!"),
        (argument("MESSAGE_BODY", "v"), {"v": True}, "Can't convert value 'true' to double!"),
        (argument("MESSAGE_BODY", "v"), {"v": [1]}, "Can't convert value '[1]' to double!"),
        (argument("MESSAGE_BODY", "v"), {"v": "1_000"}, "Can't convert value '1_000' to double!"),
        (argument("MESSAGE_BODY", "v"), [1], "not a JSON object"),
        (argument("MESSAGE_METADATA", "v"), {}, "Message metadata has no 'v'!"),
        (argument("MESSAGE_METADATA", "bad"), {}, "Can't convert value 'x' to double!"),
        (argument("ATTRIBUTE", "v"), {}, f"Attribute: v with scope: SERVER_SCOPE not found for entity: {DEVICE.id}"),
        (argument("ATTRIBUTE", "json"), {}, "Can't convert value"),
        (argument("TIME_SERIES", "v"), {}, f"Time-series: v not found for entity: {DEVICE.id}"),
        (argument("ATTRIBUTE", "$[v]"), [1], ""),
    ],
)
def test_an_argument_that_is_missing_or_no_number_fails(world: World, wanted: dict, body: Any, why: str) -> None:
    world.stored_attributes[DEVICE, Scope.SERVER] = {"json": Attribute("json", Scope.SERVER, Json("{}"), 1)}
    into = {"type": "MESSAGE_METADATA"}
    assert why in failed(run_one(made(MathFunction, custom("x", wanted, **into)), world, message(body, bad="x")))


@pytest.mark.parametrize("text", ["1.5", "1.5f", "15e-1", " 1.5 ", "+1.5", "1.50D"])
def test_numbers_as_text_are_read_as_java_does(world: World, text: str) -> None:
    node = made(MathFunction, custom("x", argument("MESSAGE_BODY", "v")))
    assert run_one(node, world, message({"v": text})).msg.data.value["r"] == 1.5


@pytest.mark.parametrize("type", ["MESSAGE_BODY", "MESSAGE_METADATA", "ATTRIBUTE", "TIME_SERIES"])
def test_what_is_missing_has_its_default(world: World, type: str) -> None:
    node = made(MathFunction, custom("x", argument(type, "v", defaultValue=7.5)))
    assert run_one(node, world, message({})).msg.data.value == {"r": 7.5}


def test_results_go_to_the_body_or_the_metadata(world: World) -> None:
    for precision, value, text in ((2, 5.0, "5.0"), (0, 5, "5")):
        body = run_one(
            made(MathFunction, custom("5", key="${k}", precision=precision)), world, message({"a": 1}, k="r1")
        )
        assert body.msg.data.value == {"a": 1, "r1": value}
        into = made(MathFunction, custom("5", type="MESSAGE_METADATA", precision=precision))
        assert run_one(into, world, message(raw=b"no json")).msg.metadata == {"r": text}
    assert world.points == world.attributes_saved == []


@pytest.mark.parametrize(
    ("scope", "notified"), [(None, False), ("SERVER_SCOPE", False), ("SHARED_SCOPE", True), ("CLIENT_SCOPE", False)]
)
def test_results_become_attributes_of_which_a_device_hears_where_they_are_shared(
    world: World, scope: str | None, notified: bool
) -> None:
    node = made(MathFunction, custom("2.345", type="ATTRIBUTE", attributeScope=scope))
    outcome = run_one(node, world, message({"a": 1}))
    ((originator, saved, values, options),) = world.attributes_saved
    assert (originator, saved.json, values) == (DEVICE, scope or "SERVER_SCOPE", {"r": 2.35})
    assert (options["notify_device"], outcome.msg.data.value) == (notified, {"a": 1})


def test_results_become_telemetry_that_is_not_rounded(world: World) -> None:
    node = made(MathFunction, custom("2.345", type="TIME_SERIES", addToBody=True, addToMetadata=True))
    outcome = run_one(node, world, message({"a": 1}))
    assert world.points[0][:2] == (DEVICE, [(NOW, {"r": 2.345})])
    assert (outcome.msg.data.value, outcome.msg.metadata) == ({"a": 1, "r": 2.35}, {"r": "2.35"})


def test_messages_of_one_originator_see_what_those_before_them_saved(world: World) -> None:
    world.stored_attributes[DEVICE, Scope.SERVER] = {"total": Attribute("total", Scope.SERVER, 100, 1)}
    other = entity(2)
    total, delta = argument("ATTRIBUTE", "total", defaultValue=0), argument("MESSAGE_BODY", "delta", "d")
    node = made(MathFunction, custom("x + d", total, delta, type="ATTRIBUTE", key="total", precision=0, addToBody=True))
    batch = [message({"delta": 1}), message({"delta": 5}, originator=other), message({}), message({"delta": 2})]
    outcomes = node.run(world, [*batch, message({"delta": 3}, originator=other)])
    assert relations(outcomes) == ["Success", "Success", "Failure", "Success", "Success"]
    assert [outcome.msg.data.value.get("total") for outcome in outcomes] == [101, 5, None, 103, 8]
    assert world.stored_attributes[DEVICE, Scope.SERVER]["total"].value == 103


def test_a_batch_of_different_originators_asks_once(world: World) -> None:
    node = made(MathFunction, custom("x", argument("ATTRIBUTE", "a", defaultValue=1), type="ATTRIBUTE"))
    node.run(world, [message({}, originator=entity(number)) for number in range(1, 5)])
    assert world.asked == ["attributes"]


def test_a_node_touches_what_its_configuration_says() -> None:
    def touches(*arguments: dict[str, Any], **of_result: Any) -> tuple[set[str], set[str]]:
        node = made(MathFunction, custom("1", *arguments, **of_result))
        return set(node.READS), set(node.WRITES)

    assert touches(argument("MESSAGE_BODY", "v")) == (set(), set())
    assert touches(argument("ATTRIBUTE", "v"), type="TIME_SERIES") == ({ATTRIBUTES}, {TELEMETRY})
    assert touches(argument("TIME_SERIES", "v"), type="ATTRIBUTE") == ({TELEMETRY}, {ATTRIBUTES})


def test_an_endless_power_ends(world: World) -> None:
    assert "infinite" in failed(run_one(made(MathFunction, custom("9^9^9^9")), world, message({})))


@pytest.mark.parametrize(
    ("configuration", "why"),
    [
        ({"operation": "ADD", "arguments": [argument("CONSTANT", "1")]}, "Args count: 1 does not match operation: ADD"),
        ({"operation": "SIN", "arguments": []}, "Args count: 0"),
        (custom("1", *[argument("CONSTANT", "1", f"a{number}") for number in range(17)]), "Args count: 17"),
        (custom(" "), "blank"),
        (custom("y"), "neither an argument nor a function"),
        (custom("1", argument("CONSTANT", "one")), "Can't convert value 'one' to double!"),
        (custom("1", type="CONSTANT"), "Result type is not supported"),
        (custom("1", argument("ATTRIBUTE", "a", attributeScope="OTHER")), "Invalid scope"),
        (custom("1", argument("NOWHERE", "a")), "configuration cannot be used"),
    ],
)
def test_what_cannot_be_computed_is_refused_when_the_node_is_made(configuration: dict, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        made(MathFunction, configuration)
