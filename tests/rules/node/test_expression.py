"""Expressions of users: exp4j's language, floats alone, nothing of Python."""

import math

import pytest

from rules.node.expression import FUNCTIONS, LONGEST, Expression


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("(x - 32) / 1.8", 100.0),
        ("x + y * 2", 222.0),
        ("-2^2", -4.0),
        ("(-2)^2", 4.0),
        ("2^3^2", 512.0),
        ("2^-1", 0.5),
        ("7 % 4 * 2", 6.0),
        ("-7 % 4", -3.0),
        ("8 - 3 - 2", 3.0),
        ("16 / 4 / 2", 2.0),
        ("10 ÷ 4", 2.5),
        ("5--3", 8.0),
        ("+3", 3.0),
        ("{[(3)]}", 3.0),
        ("2y", 10.0),
        ("2(y + 1)y", 60.0),
        ("(2)(3)", 6.0),
        ("yx", 1060.0),
        ("2e3 + 1", 2001.0),
        ("1.5e-3", 0.0015),
        (".5", 0.5),
        ("2e", 2 * math.e),
        ("2pi", 2 * math.pi),
        ("π", math.pi),
        ("sin(pi / 2)", 1.0),
        ("sqrt 16", 4.0),
        ("sin(0)^2 + cos(0)^2", 1.0),
        ("pow(2, 3) + logab(2, 8)", 11.0),
        ("ln(e) + lg(100) + log(1) + log2(8) + log10(1000)", 9.0),
        ("floor(2.7) + ceil(2.1) + abs(-1) + signum(-5)", 5.0),
        ("cbrt(27) + exp(0) + expm1(0) + log1p(0)", 4.0),
        ("asin(1) + acos(1) + atan(0)", math.pi / 2),
        ("sinh(0) + cosh(0) + tanh(0)", 1.0),
        ("toradian(180) + todegree(pi)", math.pi + 180),
        ("cot(pi/4) + sec(0) + csc(pi/2)", 3.0),
        ("sech(0) + csch(0)", 1.0),
    ],
)
def test_it_computes_as_exp4j_does(text: str, value: float) -> None:
    assert Expression(text, ["x", "y"]).value({"x": 212.0, "y": 5.0}) == pytest.approx(value)


def test_the_longest_name_counts_and_an_argument_hides_a_constant() -> None:
    assert Expression("temperature", ["t", "temp", "temperature"]).value({"t": 1, "temp": 2, "temperature": 3}) == 3
    assert Expression("e + a_1.b", ["e", "a_1.b"]).value({"e": 7.0, "a_1.b": 1.0}) == 8.0


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("9^9^9^9", math.inf),
        ("-(9^9^9^9)", -math.inf),
        ("exp(10000)", math.inf),
        ("log(0)", -math.inf),
        ("0^-1", math.inf),
    ],
)
def test_what_is_too_large_is_infinite_and_takes_no_time(text: str, value: float) -> None:
    assert Expression(text, []).value({}) == value


@pytest.mark.parametrize("text", ["sqrt(-1)", "log(-1)", "asin(2)", "(-8)^(1/3)", "9^9^9^9 - 9^9^9^9", "sin(9^9^9^9)"])
def test_what_has_no_value_is_not_a_number(text: str) -> None:
    assert math.isnan(Expression(text, []).value({}))


@pytest.mark.parametrize("text", ["1 / 0", "1 % 0", "1 / (x - x)", "cot(0)", "csc(0)"])
def test_a_division_by_zero_is_said(text: str) -> None:
    with pytest.raises(ValueError, match="Division by zero"):
        Expression(text, ["x"]).value({"x": 1.0})


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "blank"),
        ("  ", "blank"),
        ("x" * (LONGEST + 1), "too complex"),
        ("1 2", "two numbers"),
        ("1.2.3", "not a number"),
        (".", "not a number"),
        ("x +", "expects 2 values"),
        ("* x", "expects 2 values"),
        ("pow(1)", "expects 2 values"),
        ("sin()", "expects 1 values"),
        ("()", "0 values are left"),
        ("(x, x)", "2 values are left"),
        ("(x", "parentheses"),
        ("x)", "parentheses"),
        ("x, x", "parentheses"),
        ("x $ x", "means nothing"),
        ("x; x", "means nothing"),
        ("z", "neither an argument nor a function"),
        ("__import__('os')", "neither an argument nor a function"),
        ("x.__class__", "neither an argument nor a function|not a number"),
        ("max(1, 2)", "neither an argument nor a function"),
    ],
)
def test_what_cannot_be_computed_is_refused_when_the_node_is_made(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Expression(text, ["x"])


def test_an_argument_has_not_the_name_of_a_function() -> None:
    with pytest.raises(ValueError, match="'sin' has the name of a function"):
        Expression("1", ["sin"])


def test_the_deepest_expression_that_fits_is_computed() -> None:
    half = (LONGEST - 1) // 2
    assert Expression("(" * half + "1" + ")" * half, []).value({}) == 1.0
    assert Expression("-" * (LONGEST - 1) + "1", []).value({}) == -1.0


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
@pytest.mark.parametrize("value", [0.0, -0.0, 1.0, -1.0, 1e308, -1e308, 5e-324, math.inf, -math.inf, math.nan])
def test_every_function_takes_every_number(name: str, value: float) -> None:
    text = f"{name}(x, x)" if name in ("pow", "logab") else f"{name}(x)"
    try:
        assert isinstance(Expression(text, ["x"]).value({"x": value}), float)
    except ValueError as error:
        assert "Division by zero" in str(error)
