"""The half of the parser that reads expressions, by precedence climbing."""

from thingsboard.kernel.script.tbel import syntax as ast
from thingsboard.kernel.script.tbel.lexer import Lexer, Token, fault
from thingsboard.kernel.script.tbel.numerals import numeral

DEPTH = 64  # how deep expressions and blocks may stand in one another; a hostile script must not exhaust the stack

LONGEST_CHAIN = 100  # members, indexes and calls behind each other

#: Binary operators by how tightly they bind, as the language's own table has it.
BINDING = {
    **dict.fromkeys(("||", "or"), 2),
    **dict.fromkeys(("&&", "and"), 3),
    "|": 4,
    "^": 5,
    "&": 6,
    **dict.fromkeys(("==", "===", "!="), 7),
    **dict.fromkeys(("<", ">", "<=", ">=", "instanceof", "is", "in", "convertable_to"), 8),
    **dict.fromkeys(("<<", ">>", ">>>"), 9),
    **dict.fromkeys(("+", "-"), 10),
    **dict.fromkeys(("*", "/", "%"), 11),
    "**": 12,
    **dict.fromkeys(("#", "~=", "contains", "soundslike", "strsim"), 13),
}
WORDS = frozenset(word for word in BINDING if word[0].isalpha())
ASSIGNMENTS = frozenset(("=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>=", ">>>="))
PRIMITIVES = frozenset(("byte", "short", "int", "long", "float", "double", "boolean", "char"))
CASTS = PRIMITIVES | {
    "String",
    "Integer",
    "Long",
    "Double",
    "Float",
    "Boolean",
    "Byte",
    "Short",
    "Object",
    "List",
    "Map",
}
CONSTANTS: dict[str, bool | None] = {"true": True, "false": False, "null": None, "nil": None}
_KEYWORDS = """
    if else switch case default function def for foreach while until do return break continue var new import import_static
    with assert proto stacklang delete isdef
"""
KEYWORDS = frozenset(_KEYWORDS.split())


class Expressions:
    """Reads expressions from the tokens of a source."""

    def __init__(self, source: str) -> None:
        self.tokens = Lexer(source).tokens()
        self.at = 0
        self.depth = 0

    @property
    def token(self) -> Token:
        """The token that comes next."""
        return self.tokens[self.at]

    def peek(self, ahead: int = 1) -> Token:
        """A token further on; behind the last one comes the last one again."""
        return self.tokens[min(self.at + ahead, len(self.tokens) - 1)]

    def take(self) -> Token:
        """The next token, which is used up."""
        token = self.token
        self.at += token.kind != "end"
        return token

    def is_next(self, *texts: str) -> bool:
        """Whether one of these operators or words comes next."""
        return self.token.text in texts and self.token.kind in ("operator", "name")

    def accept(self, *texts: str) -> Token | None:
        """Take one of these, if it comes next."""
        return self.take() if self.is_next(*texts) else None

    def expect(self, text: str) -> Token:
        """Take this, or raise ValueError."""
        if not self.is_next(text):
            raise self.unexpected(f"expected '{text}'")
        return self.take()

    def unexpected(self, expected: str) -> ValueError:
        """The error of a token that does not belong here."""
        return fault(f"{expected}, found '{self.token.text[:40]}'", self.token.line)

    def name(self) -> Token:
        """Take a name that is no word of the language."""
        if self.token.kind != "name" or self.token.text in KEYWORDS or self.token.text in CONSTANTS:
            raise self.unexpected("expected a name")
        return self.take()

    def enter(self) -> None:
        """Go one level deeper; whoever enters leaves."""
        self.depth += 1
        if self.depth > DEPTH:
            raise fault(f"nested deeper than {DEPTH} levels", self.token.line)

    def expression(self) -> ast.Expression:
        """An expression with everything that belongs to it, assignments too."""
        self.enter()
        left = self._ternary()
        if self.token.kind == "operator" and self.token.text in ASSIGNMENTS:
            operator = self.take()
            if not isinstance(left, ast.Name | ast.Member | ast.Index):
                raise fault("this cannot be assigned to", operator.line)
            left = ast.Assign(left, operator.text[:-1], self.expression(), operator.line)
        self.depth -= 1
        return left

    def _ternary(self) -> ast.Expression:
        condition = self._binary(2)
        if not (mark := self.accept("?")):
            return condition
        yes = self.expression()
        self.expect(":")
        return ast.Ternary(condition, yes, self.expression(), mark.line)

    def _binary(self, least: int) -> ast.Expression:
        left = self._unary()
        while (binding := self._binding()) >= least:
            operator = self.take()
            if operator.text in ("instanceof", "is", "convertable_to"):
                left = ast.InstanceOf(left, self.type_name(), operator.line)
            else:
                left = ast.Binary(operator.text, left, self._binary(binding + 1), operator.line)
        return left

    def _binding(self) -> int:
        token = self.token
        if token.text in ("!==", "<<<") and token.kind == "operator":
            raise fault(f"there is no operator {token.text}", token.line)
        return BINDING.get(token.text, 0) if token.kind in ("operator", "name") else 0

    def _unary(self) -> ast.Expression:
        token = self.token
        if self.accept("!", "-", "+", "~") or (token.text in ("delete", "isdef") and self.accept("delete", "isdef")):
            self.enter()
            operand = self._unary()
            self.depth -= 1
            if token.text == "delete" and not isinstance(operand, ast.Member | ast.Index):
                raise fault("only a member can be deleted", token.line)
            return ast.Unary(token.text, operand, token.line)
        if self.accept("++", "--"):
            return self._step(self._postfix(self._primary()), token, prefix=True)
        if token.text == "(" and self._is_cast():
            return self._cast()
        operand = self._postfix(self._primary())
        if (after := self.token).text in ("++", "--") and after.kind == "operator" and not after.fresh:
            return self._step(operand, self.take(), prefix=False)
        return operand

    def _step(self, target: ast.Expression, operator: Token, prefix: bool) -> ast.Step:
        if not isinstance(target, ast.Name | ast.Member | ast.Index):
            raise fault("this cannot be counted up or down", operator.line)
        return ast.Step(target, 1 if operator.text == "++" else -1, prefix, operator.line)

    def _is_cast(self) -> bool:
        if self.token.kind != "operator" or self.peek().text not in CASTS or self.peek(2).text != ")":
            return False
        after = self.peek(3)
        return (
            after.kind in ("name", "number", "string")
            or after.text in ("(", "[", "{")
            or (self.peek().text in PRIMITIVES and after.text in ("-", "+", "!", "~"))
        )

    def _cast(self) -> ast.Cast:
        start = self.take()
        to = self.take().text
        self.take()
        self.enter()
        value = self._unary()
        self.depth -= 1
        return ast.Cast(to, value, start.line)

    def _postfix(self, target: ast.Expression) -> ast.Expression:
        """Members, indexes and calls, one after the other."""
        for _ in range(LONGEST_CHAIN):
            if dot := self.accept(".", ".?"):
                if self.token.kind != "name":
                    raise self.unexpected("expected the name of a member")
                target = ast.Member(target, self.take().text, dot.text == ".?", dot.line)
            elif start := self.accept("["):
                target = ast.Index(target, self.expression(), start.line)
                self.expect("]")
            elif self.is_next("("):
                if not isinstance(target, ast.Name | ast.Member):
                    raise fault("only a function can be called", self.token.line)
                line = self.take().line
                target = ast.Call(target, self.items(")"), line)
            else:
                return target
        raise fault(f"more than {LONGEST_CHAIN} members in a row", self.token.line)

    def _primary(self) -> ast.Expression:
        token = self.take()
        if token.kind == "number":
            return numeral(token)
        if token.kind == "string":
            return ast.Literal(token.text, token.line)
        if token.kind == "name":
            return self._word(token)
        if token.text == "(":
            inner = self.expression()
            self.expect(")")
            return inner
        if token.text in ("[", "{"):
            return self._collection(token)
        self.at -= token.kind != "end"
        raise self.unexpected("expected an expression")

    def _word(self, token: Token) -> ast.Expression:
        if token.text in CONSTANTS:
            return ast.Literal(CONSTANTS[token.text], token.line)
        if token.text == "empty":
            return ast.Literal(None, token.line, empty=True)
        if token.text == "new":
            return self._new(token)
        if token.text in ("function", "def"):
            raise fault("a function must have a name and stand as a statement", token.line)
        if token.text in KEYWORDS or token.text in WORDS:
            raise fault(f"expected an expression, found '{token.text}'", token.line)
        return ast.Name(token.text, token.line)

    def type_name(self) -> str:
        """The name of a type, with its package."""
        parts = [self.name().text]
        while self.is_next(".") and self.peek().kind == "name":
            self.take()
            parts.append(self.take().text)
        return ".".join(parts)

    def _new(self, start: Token) -> ast.Expression:
        name = self.type_name()
        if self.accept("("):
            return ast.New(name, self.items(")"), start.line)
        sizes: list[ast.Expression] = []
        while self.accept("["):
            if self.accept("]"):
                self.expect("{")
                return ast.NewArray(name, (), self.items("}"), start.line)
            sizes.append(self.expression())
            self.expect("]")
        if not sizes:
            raise self.unexpected(f"expected '(' or '[' after new {name}")
        return ast.NewArray(name, tuple(sizes), None, start.line)

    def items(self, end: str) -> tuple[ast.Expression, ...]:
        """Expressions with commas between them, up to the bracket that closes them; a last comma is allowed."""
        found: list[ast.Expression] = []
        while not self.accept(end):
            found.append(self.expression())
            if not self.accept(","):
                self.expect(end)
                break
        return tuple(found)

    def _collection(self, start: Token) -> ast.Expression:
        """A list or a map; either may stand in brackets or in braces."""
        end = "]" if start.text == "[" else "}"
        if self.accept(":"):
            self.expect(end)
            return ast.MapOf((), start.line)
        if self.accept(end):
            return ast.ListOf((), start.line) if end == "]" else ast.MapOf((), start.line)
        first = self._key()
        if not self.accept(":"):
            if self.accept(","):
                return ast.ListOf((first, *self.items(end)), start.line)
            self.expect(end)
            return ast.ListOf((first,), start.line)
        entries = [(first, self.expression())]
        while self.accept(",") and not self.is_next(end):
            key = self._key()
            self.expect(":")
            entries.append((key, self.expression()))
        self.expect(end)
        return ast.MapOf(tuple(entries), start.line)

    def _key(self) -> ast.Expression:
        """The key of a map, where a name means itself; or the first item of a list."""
        if self.token.kind == "name" and self.peek().text == ":" and self.peek().kind == "operator":
            token = self.take()
            return ast.Literal(token.text, token.line)
        return self.expression()
