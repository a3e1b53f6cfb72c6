"""The syntax tree of TBEL. Every node knows the line of the source on which it begins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal as OneOf

NumberKind = OneOf["int", "long", "double"]


@dataclass(frozen=True, slots=True)
class Literal:
    """A string, true, false or null; `empty` is MVEL's word for what has nothing in it."""

    value: str | bool | None
    line: int
    empty: bool = False


@dataclass(frozen=True, slots=True)
class Number:
    """A number and what it is in Java."""

    value: int | float
    kind: NumberKind
    line: int


@dataclass(frozen=True, slots=True)
class Name:
    """A variable, an argument, a function or a class."""

    name: str
    line: int


@dataclass(frozen=True, slots=True)
class Member:
    """`target.name`, or `target.?name`, which is null where the target has none."""

    target: Expression
    name: str
    safe: bool
    line: int


@dataclass(frozen=True, slots=True)
class Index:
    """`target[index]`."""

    target: Expression
    index: Expression
    line: int


@dataclass(frozen=True, slots=True)
class Call:
    """`function(arguments)` or `target.method(arguments)`."""

    function: Name | Member
    arguments: tuple[Expression, ...]
    line: int


@dataclass(frozen=True, slots=True)
class New:
    """`new Type(arguments)`."""

    type: str
    arguments: tuple[Expression, ...]
    line: int


@dataclass(frozen=True, slots=True)
class NewArray:
    """`new int[3]`, `new int[2][3]` or `new int[] {1, 2}`."""

    type: str
    sizes: tuple[Expression, ...]
    items: tuple[Expression, ...] | None
    line: int


@dataclass(frozen=True, slots=True)
class ListOf:
    """`[1, 2]`."""

    items: tuple[Expression, ...]
    line: int


@dataclass(frozen=True, slots=True)
class MapOf:
    """`{a: 1, "b": 2}` or `[a: 1]`."""

    entries: tuple[tuple[Expression, Expression], ...]
    line: int


@dataclass(frozen=True, slots=True)
class Unary:
    """`!x`, `-x`, `+x`, `~x`, `delete x` or `isdef x`."""

    operator: str
    operand: Expression
    line: int


@dataclass(frozen=True, slots=True)
class Binary:
    """`left operator right`."""

    operator: str
    left: Expression
    right: Expression
    line: int


@dataclass(frozen=True, slots=True)
class InstanceOf:
    """`value instanceof Type`."""

    value: Expression
    type: str
    line: int


@dataclass(frozen=True, slots=True)
class Cast:
    """`(type) value`."""

    type: str
    value: Expression
    line: int


@dataclass(frozen=True, slots=True)
class Ternary:
    """`condition ? yes : no`."""

    condition: Expression
    yes: Expression
    no: Expression
    line: int


@dataclass(frozen=True, slots=True)
class Assign:
    """`target = value`; with an operator, `target operator= value`."""

    target: Name | Member | Index
    operator: str
    value: Expression
    line: int


@dataclass(frozen=True, slots=True)
class Step:
    """`++target` or `target--`."""

    target: Name | Member | Index
    by: OneOf[1, -1]
    prefix: bool
    line: int


Expression = (
    Literal | Number | Name | Member | Index | Call | New | NewArray | ListOf | MapOf
    | Unary | Binary | InstanceOf | Cast | Ternary | Assign | Step
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Evaluate:
    """An expression that stands as a statement."""

    expression: Expression
    line: int


@dataclass(frozen=True, slots=True)
class Declare:
    """`var a = 1, b;` or `int a = 1;`."""

    names: tuple[tuple[str, Expression | None], ...]
    line: int


@dataclass(frozen=True, slots=True)
class Block:
    """Statements in braces."""

    statements: tuple[Statement, ...]
    line: int
    end: int


@dataclass(frozen=True, slots=True)
class If:
    """`if (condition) yes else no`."""

    condition: Expression
    yes: Block
    no: Block | If | None
    line: int


@dataclass(frozen=True, slots=True)
class While:
    """`while (condition) body` and `until (condition) body`; the latter is negated."""

    condition: Expression
    negated: bool
    body: Block
    line: int


@dataclass(frozen=True, slots=True)
class DoWhile:
    """`do body while (condition)` and `do body until (condition)`; the latter is negated."""

    condition: Expression
    negated: bool
    body: Block
    line: int


@dataclass(frozen=True, slots=True)
class For:
    """`for (first; condition; step) body`."""

    first: tuple[Statement, ...]
    condition: Expression | None
    step: tuple[Expression, ...]
    body: Block
    line: int


@dataclass(frozen=True, slots=True)
class ForEach:
    """`foreach (name : items) body`."""

    name: str
    items: Expression
    body: Block
    line: int


@dataclass(frozen=True, slots=True)
class Case:
    """`case value:` or, without a value, `default:`, and what follows."""

    value: Expression | None
    statements: tuple[Statement, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Switch:
    """`switch (value) { ... }`."""

    value: Expression
    cases: tuple[Case, ...]
    line: int
    end: int


@dataclass(frozen=True, slots=True)
class Function:
    """`function name(parameters) { ... }`."""

    name: str
    parameters: tuple[str, ...]
    body: Block
    line: int


@dataclass(frozen=True, slots=True)
class Return:
    """`return value;`."""

    value: Expression | None
    line: int


@dataclass(frozen=True, slots=True)
class Jump:
    """`break;` or `continue;`."""

    word: OneOf["break", "continue"]
    line: int


Statement = Evaluate | Declare | Block | If | While | DoWhile | For | ForEach | Switch | Function | Return | Jump
