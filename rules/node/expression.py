"""Arithmetic expressions of users, in the language of exp4j, which ThingsBoard has for them: `(x - 32) / 1.8`.

Numbers, variables, `+ - * / % ^`, parentheses of all kinds, functions, the constants pi, e and φ; where an operator is missing
it is a multiplication. `^` binds before the sign: `-2^2` is -4. Everything is a float, so each step takes the same short time
whatever the numbers are, and there are no more steps than characters. Nothing of Python is evaluated.
"""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple

from rules.node import arithmetic

LONGEST: Final = 256  # characters, as in ThingsBoard

Function = Callable[..., float]


def _above(name: str, one: Function, other: Function) -> Function:
    """one(x) / other(x). Raises ValueError at zero."""

    def quotient(a: float) -> float:
        divisor = other(a)
        if divisor == 0:
            raise ValueError(f"Division by zero in {name}!")
        return one(a) / divisor

    return quotient


def _one(a: float) -> float:
    return 1.0


FUNCTIONS: Final[Mapping[str, Function]] = {
    "sin": arithmetic.sin,
    "cos": arithmetic.cos,
    "tan": arithmetic.tan,
    "cot": _above("cot", _one, arithmetic.tan),
    "csc": _above("csc", _one, arithmetic.sin),
    "sec": _above("sec", _one, arithmetic.cos),
    "asin": arithmetic.asin,
    "acos": arithmetic.acos,
    "atan": math.atan,
    "sinh": arithmetic.sinh,
    "cosh": arithmetic.cosh,
    "tanh": math.tanh,
    "csch": lambda a: 0.0 if a == 0 else 1.0 / arithmetic.sinh(a),
    "sech": lambda a: 1.0 / arithmetic.cosh(a),
    "coth": lambda a: arithmetic.divide(1.0, math.tanh(a)),
    "abs": abs,
    "log": arithmetic.log,
    "ln": arithmetic.log,
    "lg": arithmetic.log10,
    "log10": arithmetic.log10,
    "log2": arithmetic.log2,
    "log1p": arithmetic.log1p,
    "logab": lambda a, b: arithmetic.divide(arithmetic.log(b), arithmetic.log(a)),
    "ceil": arithmetic.ceil,
    "floor": arithmetic.floor,
    "sqrt": arithmetic.sqrt,
    "cbrt": math.cbrt,
    "pow": arithmetic.power,
    "exp": arithmetic.exp,
    "expm1": arithmetic.expm1,
    "signum": arithmetic.signum,
    "toradian": math.radians,
    "todegree": math.degrees,
}
CONSTANTS: Final[Mapping[str, float]] = {"pi": math.pi, "π": math.pi, "e": math.e, "φ": 1.61803398874}

_TAKES_TWO: Final = frozenset({"logab", "pow"})


def _quotient(a: float, b: float) -> float:
    if b == 0:
        raise ValueError("Division by zero!")
    return a / b


def _modulo(a: float, b: float) -> float:
    if b == 0:
        raise ValueError("Division by zero!")
    return arithmetic.remainder(a, b)


class _Step(NamedTuple):
    """What takes so many values from the stack; `binds`: how tightly, `left`: the first of equals goes first."""

    symbol: str
    apply: Function
    takes: int
    binds: int = 0
    left: bool = True


_BINARY: Final = {
    "+": _Step("+", lambda a, b: a + b, 2, 500),
    "-": _Step("-", lambda a, b: a - b, 2, 500),
    "*": _Step("*", lambda a, b: a * b, 2, 1000),
    "/": _Step("/", _quotient, 2, 1000),
    "÷": _Step("/", _quotient, 2, 1000),
    "%": _Step("%", _modulo, 2, 1000),
    "^": _Step("^", arithmetic.power, 2, 10_000, left=False),
}
_SIGNS: Final = {"-": _Step("-", lambda a: -a, 1, 5000, left=False), "+": _Step("+", lambda a: a, 1, 5000, left=False)}
_OPEN, _CLOSE, _COMMA = "(", ")", ","
_BRACKETS: Final = {"(": _OPEN, "[": _OPEN, "{": _OPEN, ")": _CLOSE, "]": _CLOSE, "}": _CLOSE, ",": _COMMA}

# A number, the name of a variable, a function or operator, or punctuation.
_Token = float | str | _Step


class _Name(str):
    """The name of a variable."""


class Expression:
    """One expression. `value` computes it."""

    __slots__ = ("_steps", "_text")

    def __init__(self, text: str, variables: Collection[str]) -> None:
        """Raises ValueError with a sentence where it cannot be computed for any values."""
        if not text.strip():
            raise ValueError("Custom function is blank!")
        if len(text) > LONGEST:
            raise ValueError(f"Custom function is too complex (length > {LONGEST})!")
        taken = sorted(set(variables) & FUNCTIONS.keys())
        if taken:
            raise ValueError(f"The argument {taken[0]!r} has the name of a function.")
        self._text = text
        self._steps = _postfix(_tokens(text.strip(), {*variables, *CONSTANTS}))
        self._check()

    def value(self, variables: Mapping[str, float]) -> float:
        """With these values of its variables. Raises ValueError where something is divided by zero."""
        stack: list[float] = []
        for step in self._steps:
            if isinstance(step, _Step):
                taken = stack[-step.takes :]
                del stack[-step.takes :]
                stack.append(step.apply(*taken))
            elif isinstance(step, _Name):
                value = variables.get(step)
                stack.append(CONSTANTS[step] if value is None else value)
            else:
                stack.append(step)
        return stack[0]

    def _check(self) -> None:
        """That there is a value for every step, and one left in the end. Raises ValueError."""
        size = 0
        for step in self._steps:
            if isinstance(step, _Step):
                if size < step.takes:
                    raise ValueError(f"{self._text!r} cannot be computed: {step.symbol} expects {step.takes} values.")
                size -= step.takes - 1
            else:
                size += 1
        if size != 1:
            raise ValueError(f"{self._text!r} cannot be computed: {size} values are left, expected one.")


def _tokens(text: str, names: Collection[str]) -> list[_Token]:
    found: list[_Token] = []
    at = 0
    while at < len(text):
        char = text[at]
        if char.isspace():
            at += 1
            continue
        after_value = bool(found) and (isinstance(found[-1], float | _Name) or found[-1] == _CLOSE)
        if char in _BRACKETS:
            token: _Token = _BRACKETS[char]
            end = at + 1
        elif char in _BINARY:
            token = _BINARY[char] if after_value else _SIGNS.get(char, _BINARY[char])
            end = at + 1
        elif _is_digit(char):
            token, end = _number(text, at)
            if found and type(found[-1]) is float:
                raise ValueError(f"{text!r} has two numbers without anything between them at position {at + 1}.")
        elif char.isalpha() or char == "_":
            token, end = _named(text, at, names)
        else:
            raise ValueError(f"{text!r} has {char!r} at position {at + 1}, which means nothing.")
        if after_value and not (isinstance(token, _Step) and token.binds) and token not in (_CLOSE, _COMMA):
            found.append(_BINARY["*"])
        found.append(token)
        at = end
    return found


def _is_digit(char: str) -> bool:
    return "0" <= char <= "9" or char == "."


def _number(text: str, at: int) -> tuple[float, int]:
    """The number that begins there, and where it ends. An e without digits is the constant behind it."""
    end = at
    while end < len(text) and (
        _is_digit(text[end]) or text[end] in "eE" or (text[end] in "+-" and text[end - 1] in "eE")
    ):
        end += 1
    while text[end - 1] in "eE+-":
        end -= 1
    try:
        return float(text[at:end]), end
    except ValueError:
        raise ValueError(f"{text[at:end]!r} is not a number.") from None


def _named(text: str, at: int, names: Collection[str]) -> tuple[_Token, int]:
    """The variable or function with the longest name that begins there, and where it ends."""
    end = at
    while end < len(text) and (text[end].isalpha() or _is_digit(text[end]) or text[end] == "_"):
        end += 1
    for stop in range(end, at, -1):
        name = text[at:stop]
        if name in names:
            return _Name(name), stop
        if name in FUNCTIONS:
            return _Step(name, FUNCTIONS[name], 2 if name in _TAKES_TWO else 1), stop
    raise ValueError(f"{text[at:end]!r} is neither an argument nor a function.")


def _postfix(tokens: Sequence[_Token]) -> list[Any]:
    """Every step behind what it takes (the shunting yard). Raises ValueError where parentheses do not fit."""
    output: list[Any] = []
    waiting: list[Any] = []
    for token in tokens:
        if isinstance(token, float | _Name):
            output.append(token)
        elif isinstance(token, _Step):
            while token.binds and waiting and _goes_first(waiting[-1], token):
                output.append(waiting.pop())
            waiting.append(token)
        elif token == _OPEN:
            waiting.append(token)
        else:
            while waiting and waiting[-1] != _OPEN:
                output.append(waiting.pop())
            if not waiting:
                raise ValueError("The parentheses of the custom function do not fit.")
            if token == _CLOSE:
                waiting.pop()
                if waiting and isinstance(waiting[-1], _Step) and not waiting[-1].binds:
                    output.append(waiting.pop())
    while waiting:
        if waiting[-1] == _OPEN:
            raise ValueError("The parentheses of the custom function do not fit.")
        output.append(waiting.pop())
    return output


def _goes_first(earlier: Any, later: _Step) -> bool:
    """Whether an operator that waits is done before the one that came."""
    if not isinstance(earlier, _Step) or not earlier.binds or (later.takes == 1 and earlier.takes > 1):
        return False
    return later.binds < earlier.binds or (later.left and later.binds == earlier.binds)
