"""What is known of an expression without running it: that lets numbers be plain JavaScript, and doubles look like Java's."""

from collections.abc import Sequence

from thingsboard.kernel.script.tbel import syntax as ast
from thingsboard.kernel.script.tbel.scope import Scope, nodes

ROUNDS = 8  # of corrections; each looks at the whole script

#: Methods of Math that give doubles.
_DOUBLE_METHODS = "sqrt pow random floor ceil sin cos tan exp log log10 cbrt rint"
DOUBLE_METHODS = frozenset(_DOUBLE_METHODS.split())
COMPARISONS = frozenset(("==", "===", "!=", "<", ">", "<=", ">=", "~=", "contains", "in", "soundslike"))
ARITHMETIC = frozenset(("+", "-", "*", "%"))


class Kinds:
    """The kinds of expressions: int, double, str, bool, map or list; None where only running it tells."""

    def __init__(self, script: ast.Block, args: Sequence[str]) -> None:
        self.variables: dict[str, str | None] = {}
        values = _assignments(script, args)
        self.variables.update(dict.fromkeys(values, "int"))  # the most hopeful guess, which each round corrects
        for _ in range(ROUNDS):
            if not self._correct(values):
                return
        self.variables.clear()  # a long chain of variables: nothing is known of them, which is always right

    def _correct(self, values: dict[str, list[ast.Expression]]) -> bool:
        """Correct the guesses by what is assigned; whether there was anything to correct. An int may become something else
        once, and that may become unknown.
        """
        changed = False
        for name, expressions in values.items():
            kinds = {self._of(value) for value in expressions}
            kind = kinds.pop() if len(kinds) == 1 else "double" if kinds == {"int", "double"} else None
            if kind != self.variables[name] and self.variables[name] is not None:
                self.variables[name] = kind if self.variables[name] == "int" else None
                changed = True
        return changed

    def of(self, node: ast.Expression, scope: Scope) -> str | None:
        """What this expression gives. It is never null where a kind is known."""
        return self._of(node)

    def _of(self, node: ast.Expression) -> str | None:
        match node:
            case ast.Number():
                return "double" if node.kind == "double" else "int" if abs(node.value) < 2**53 else None
            case ast.Literal(value=str()):
                return "str"
            case ast.Literal(value=bool()):
                return "bool"
            case ast.Name():
                return self.variables.get(node.name)
            case ast.MapOf() | ast.ListOf():
                return "map" if isinstance(node, ast.MapOf) else "list"
            case ast.Unary(operator="-"):
                return self._of(node.operand) if isinstance(node.operand, ast.Number) else None
            case ast.Unary(operator="!"):
                return "bool"
            case ast.Call():
                return self._of_call(node)
            case ast.Binary():
                return self._of_binary(node)
            case ast.Ternary():
                yes = self._of(node.yes)
                return yes if yes == self._of(node.no) else None
            case ast.Assign(operator=""):
                return self._of(node.value)
        return None

    def _of_call(self, node: ast.Call) -> str | None:
        function = node.function
        if isinstance(function, ast.Name):
            return "double" if function.name == "toFixed" and "toFixed" not in self.variables else None
        if function.name in ("size", "length") and not node.arguments and not function.safe:
            return "int"
        math = isinstance(function.target, ast.Name) and function.target.name == "Math" and "Math" not in self.variables
        return "double" if math and function.name in DOUBLE_METHODS else None

    def _of_binary(self, node: ast.Binary) -> str | None:
        if node.operator in COMPARISONS:
            return "bool"
        left, right = self._of(node.left), self._of(node.right)
        if node.operator == "+" and "str" in (left, right):
            return "str"
        if {left, right} - {"int", "double"}:
            return None
        if node.operator == "/":
            return "double"
        if node.operator in ARITHMETIC:
            return "int" if left == right == "int" else "double"
        return None


def _assignments(script: ast.Block, args: Sequence[str]) -> dict[str, list[ast.Expression]]:
    """Everything that is assigned to a variable anywhere; without those whose values come from elsewhere or begin as null."""
    values: dict[str, list[ast.Expression]] = {}
    foreign = set(args)
    bodies: list[ast.Block] = [script]
    for body in bodies:
        for node in nodes(body):
            match node:
                case ast.Function():
                    foreign.update((*node.parameters, node.name))
                    bodies.append(node.body)
                case ast.ForEach():
                    foreign.add(node.name)
                case ast.Declare():
                    for name, value in node.names:
                        values.setdefault(name, []).append(value or ast.Literal(None, node.line))
                case ast.Assign(target=ast.Name(name=name)):
                    value = (
                        ast.Binary(node.operator, node.target, node.value, node.line) if node.operator else node.value
                    )
                    values.setdefault(name, []).append(value)
                case ast.Step(target=ast.Name(name=name)):
                    values.setdefault(name, []).append(ast.Name(name, node.line))
    return {name: given for name, given in values.items() if name not in foreign}
