"""The syntax tree to JavaScript: expressions."""

import json
from collections.abc import Callable, Sequence

from thingsboard.kernel.script.tbel import syntax as ast
from thingsboard.kernel.script.tbel.catalog import CLASSES, FUNCTION_NAMES, GETTERS
from thingsboard.kernel.script.tbel.kinds import Kinds
from thingsboard.kernel.script.tbel.scope import mangled, scope_of

#: The functions of the runtime that do what an operator does when it is not known that both sides are numbers.
HELPERS = {
    "+": "$add",
    "-": "$sub",
    "*": "$mul",
    "/": "$div",
    "%": "$rem",
    "**": "$pow",
    "#": "$cat",
    "<": "$lt",
    ">": "$gt",
    "<=": "$le",
    ">=": "$ge",
    "==": "$eq",
    "===": "$eq",
    "!=": "$ne",
    "&": "$and",
    "|": "$or",
    "^": "$xor",
    "<<": "$shl",
    ">>": "$shr",
    ">>>": "$ushr",
    "~=": "$matches",
    "contains": "$contains",
    "in": "$in",
    "soundslike": "$soundslike",
    "strsim": "$strsim",
}
LOGICAL = {"&&": "&&", "and": "&&", "||": "||", "or": "||"}
NATIVE = frozenset(
    ("+", "-", "*", "/", "<", ">", "<=", ">=")
)  # the same as in JavaScript if both sides are doubles or ints


def quoted(text: str) -> str:
    """A JavaScript string."""
    return json.dumps(text)


class ExpressionEmitter:
    """Writes expressions, in the order of the source, so that lines can be kept."""

    def __init__(self, args: Sequence[str], script: ast.Block) -> None:
        self.parts: list[str] = []
        self.line = 1
        self.scope = scope_of(args, script)
        self.kinds = Kinds(script, args)
        self._writers: dict[type, Callable[..., None]] = {
            ast.Literal: self._literal,
            ast.Number: self._number,
            ast.Name: self._name,
            ast.Member: self._member,
            ast.Index: self._index,
            ast.Call: self._call,
            ast.New: self._new,
            ast.NewArray: self._new_array,
            ast.ListOf: self._list,
            ast.MapOf: self._map_of,
            ast.Unary: self._unary,
            ast.Binary: self._binary,
            ast.InstanceOf: self._instance_of,
            ast.Cast: self._cast,
            ast.Ternary: self._ternary,
            ast.Assign: self._assign,
            ast.Step: self._step,
        }

    def write(self, text: str) -> None:
        """Append JavaScript, which has no line breaks of its own."""
        self.parts.append(text)

    def line_of(self, node: ast.Statement | ast.Expression | ast.Case) -> None:
        """Go down to the line of the node. Nothing that is written next can mean something else on a new line."""
        if node.line > self.line:
            self.parts.append("\n" * (node.line - self.line))
            self.line = node.line

    def expression(self, node: ast.Expression) -> None:
        """An expression, in parentheses where it needs them."""
        if not isinstance(node, ast.Binary | ast.Ternary | ast.Assign | ast.Member | ast.Index | ast.Call):
            self.line_of(node)  # the others stand behind what they begin with
        self._writers[type(node)](node)

    def list_of(self, start: str, items: Sequence[ast.Expression | str], end: str) -> None:
        """Expressions with commas between them; a string is JavaScript as it is."""
        self.write(start)
        for number, item in enumerate(items):
            self.write("," if number else "")
            self.write(item) if isinstance(item, str) else self.expression(item)
        self.write(end)

    def call(self, function: str, *arguments: ast.Expression | str) -> None:
        """A call of a function of the runtime."""
        self.list_of(f"{function}(", arguments, ")")

    def _list(self, node: ast.ListOf) -> None:
        self.list_of("[", node.items, "]")

    def _instance_of(self, node: ast.InstanceOf) -> None:
        self.call("$is", node.value, quoted(node.type))

    def _cast(self, node: ast.Cast) -> None:
        self.call("$cast", node.value, quoted(node.type))

    def _literal(self, node: ast.Literal) -> None:
        self.write(
            "$empty" if node.empty else quoted(node.value) if isinstance(node.value, str) else json.dumps(node.value)
        )

    def _number(self, node: ast.Number) -> None:
        safe = isinstance(node.value, float) or abs(node.value) <= 2**53 - 1
        value = "Infinity" if node.value == float("inf") else repr(node.value)
        self.write(f"({value})" if value.startswith("-") and safe else value if safe else f"({value}n)")

    def _name(self, node: ast.Name) -> None:
        if self.scope.knows(node.name):
            self.write(mangled(node.name))
        elif node.name in CLASSES:
            self.write(f"$classes.{node.name}")
        else:
            self.write(f"$unknown({quoted(node.name)})")

    def _class(self, node: ast.Expression) -> str | None:
        """The class that a name means, unless a variable has its name."""
        return (
            node.name
            if isinstance(node, ast.Name) and node.name in CLASSES and not self.scope.knows(node.name)
            else None
        )

    def _member(self, node: ast.Member) -> None:
        safe = self._is_safe(node)
        if self._class(node.target) or node.name in GETTERS:
            self.call("$getSafe" if safe else "$get", node.target, quoted(node.name))
        else:
            self.list_of(
                "((" if isinstance(node.target, ast.Number) else "(",
                (node.target,),
                ")" if isinstance(node.target, ast.Number) else "",
            )
            self.write(
                f"{'?' if safe else ''}.{node.name}??null)"
                if node.name.isascii()
                else f"{'?.' if safe else ''}[{quoted(node.name)}]??null)"
            )

    def _is_safe(self, node: ast.Expression) -> bool:
        """Whether null may stand before this member: behind a `.?` the rest of a chain is null as well."""
        while isinstance(node, ast.Member | ast.Index | ast.Call):
            if isinstance(node, ast.Member) and node.safe:
                return True
            node = node.function if isinstance(node, ast.Call) else node.target
        return False

    def _index(self, node: ast.Index) -> None:
        self.call("$atSafe" if self._is_safe(node.target) else "$at", node.target, node.index)

    def _call(self, node: ast.Call) -> None:
        if isinstance(node.function, ast.Name):
            name = node.function.name
            self.line_of(node.function)
            if self.scope.calls(name) or (self.scope.knows(name) and name not in FUNCTION_NAMES):
                self.call(mangled(name), *node.arguments)
            elif name in FUNCTION_NAMES:
                self.call(f"$fn.{name}", *node.arguments)
            else:
                self.call("$unknownFunction", quoted(name))
        elif owner := self._class(node.function.target):
            if node.function.name in CLASSES[owner]:
                self.call(f"$classes.{owner}.{node.function.name}", *node.arguments)
            else:
                self.call("$unknownMethod", quoted(f"{owner}.{node.function.name}"))
        else:
            helper = "$callSafe" if self._is_safe(node.function) else f"$call{len(node.arguments)}"
            helper = helper if helper in ("$call0", "$call1", "$call2", "$callSafe") else "$call"
            helper = "$size" if helper == "$call0" and node.function.name in ("size", "length") else helper
            self.call(helper, node.function.target, quoted(node.function.name), *node.arguments)

    def _new(self, node: ast.New) -> None:
        self.call("$new", quoted(node.type), *node.arguments)

    def _new_array(self, node: ast.NewArray) -> None:
        if node.items is None:
            self.call("$array", quoted(node.type), *node.sizes)
        else:
            self.write(f"$arrayOf({quoted(node.type)},")
            self.list_of("[", node.items, "])")

    def _map_of(self, node: ast.MapOf) -> None:
        """What is null is not put into a map. A key in brackets is a member even if it is called __proto__."""
        plain = all(self.kinds.of(value, self.scope) for _, value in node.entries)
        self.write("({" if plain else "$map({")
        for number, (key, value) in enumerate(node.entries):
            self.write("," if number else "")
            if isinstance(key, ast.Literal) and isinstance(key.value, str):
                self.write(f"[{quoted(key.value)}]:")
            else:
                self.call("[$key", key)
                self.write("]:")
            self.expression(value)
        self.write("})")

    def _unary(self, node: ast.Unary) -> None:
        operand = node.operand
        match node.operator:
            case "!":
                self.list_of("(!", (operand,), ")")
            case "isdef":
                known = not isinstance(operand, ast.Name) or self.scope.knows(operand.name)
                self.write("true" if known else "false")
            case "delete" if isinstance(operand, ast.Member):
                self.call("$call1", operand.target, quoted("remove"), quoted(operand.name))
            case "delete" if isinstance(operand, ast.Index):
                self.call("$call1", operand.target, quoted("remove"), operand.index)
            case "-" if isinstance(operand, ast.Number):
                self._number(ast.Number(-operand.value, operand.kind, operand.line))
            case operator:
                self.call({"-": "$neg", "+": "$plus", "~": "$not"}.get(operator, "$unknown"), operand)

    def _binary(self, node: ast.Binary) -> None:
        left, right, operator = node.left, node.right, node.operator
        kinds = (self.kinds.of(left, self.scope), self.kinds.of(right, self.scope))
        native = LOGICAL.get(operator)
        if operator in NATIVE and all(kind in ("int", "double") for kind in kinds):
            native = operator
        if operator in ("==", "===", "!=") and any(
            isinstance(one, ast.Literal) and one.value is None for one in (left, right)
        ):
            native = (
                None if any(isinstance(one, ast.Literal) and one.empty for one in (left, right)) else f"{operator[0]}=="
            )
        if native:
            self.list_of("(", (left,), native)
            self.list_of(" ", (right,), ")")
        elif operator in ("+", "#"):
            self.call(
                HELPERS[operator], *(self._as_text(*pair) for pair in zip((left, right), reversed(kinds), strict=True))
            )
        else:
            self.call(HELPERS[operator], left, right)

    def _as_text(self, node: ast.Expression, other: str | None) -> ast.Expression:
        """A double that is appended to a string is written as Java does, 1.0, which its value alone does not tell."""
        if other == "str" and self.kinds.of(node, self.scope) == "double":
            return ast.Cast("$double", node, node.line)
        return node

    def _ternary(self, node: ast.Ternary) -> None:
        self.list_of("(", (node.condition,), "?")
        self.expression(node.yes)
        self.list_of(":", (node.no,), ")")

    def _assign(self, node: ast.Assign) -> None:
        target = node.target
        if isinstance(target, ast.Name):
            self.write(f"({mangled(target.name)}=")
            self.expression(ast.Binary(node.operator, target, node.value, node.line) if node.operator else node.value)
            self.write(")")
        else:
            key = quoted(target.name) if isinstance(target, ast.Member) else target.index
            if node.operator:
                self.call("$change", target.target, key, HELPERS[node.operator], node.value)
            else:
                self.call("$set", target.target, key, node.value)

    def _step(self, node: ast.Step) -> None:
        target, sign = node.target, "++" if node.by > 0 else "--"
        if isinstance(target, ast.Name):
            name = mangled(target.name)
            self.write(f"({sign}{name})" if node.prefix else f"({name}{sign})")
        else:
            key = quoted(target.name) if isinstance(target, ast.Member) else target.index
            self.call("$step", target.target, key, str(node.by), "true" if node.prefix else "false")
