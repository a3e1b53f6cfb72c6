"""The half of the parser that reads statements, and its entrance."""

from thingsboard.kernel.script.tbel import syntax as ast
from thingsboard.kernel.script.tbel.expressions import CONSTANTS, KEYWORDS, WORDS, Expressions
from thingsboard.kernel.script.tbel.lexer import fault

LOOP = frozenset(("break", "continue"))
FORBIDDEN = frozenset(("import", "import_static", "with", "assert", "proto", "stacklang"))


def parse(source: str) -> ast.Block:
    """The statements of a script. Raises ValueError with the line of what is not TBEL."""
    parser = Parser(source)
    return parser.script()


class Parser(Expressions):
    """Reads statements."""

    def __init__(self, source: str) -> None:
        super().__init__(source)
        self.jumps: frozenset[str] = frozenset()  # which of break and continue have something to leave here

    def script(self) -> ast.Block:
        """All statements up to the end of the source."""
        statements = self._statements("end of script")
        if self.token.kind != "end":
            raise self.unexpected("expected a statement")
        return ast.Block(statements, 1, self.token.line)

    def _statements(self, *ends: str) -> tuple[ast.Statement, ...]:
        found: list[ast.Statement] = []
        while self.token.kind != "end" and not (self.token.kind != "string" and self.token.text in ends):
            if not self.accept(";"):
                found.append(self.statement())
        return tuple(found)

    def statement(self) -> ast.Statement:
        """One statement, with the semicolon or the end of the line that ends it."""
        self.enter()
        token = self.token
        reader = {
            "if": self._if,
            "for": self._for,
            "foreach": self._for,
            "while": self._while,
            "until": self._while,
            "do": self._do,
            "switch": self._switch,
            "function": self._function,
            "def": self._function,
        }.get(token.text if token.kind == "name" else "")
        if reader:
            found = reader()
        elif token.text == "{" and token.kind == "operator" and not self._is_map():
            found = self.block()
        else:
            found = self._simple()
            self._end_of_statement()
        self.depth -= 1
        return found

    def _simple(self) -> ast.Statement:
        token = self.token
        if token.kind == "name":
            if token.text in FORBIDDEN:
                raise fault(f"{token.text} is not allowed", token.line)
            if token.text in ("else", "case", "default"):
                raise fault(f"{token.text} does not belong here", token.line)
            if self.accept("return"):
                return ast.Return(None if self._ends_here() else self.expression(), token.line)
            if token.text in ("break", "continue"):
                self.take()
                if token.text not in self.jumps:
                    raise fault(f"{token.text} outside of a loop", token.line)
                return ast.Jump("break" if token.text == "break" else "continue", token.line)
            if declared := self._declaration():
                return declared
        return ast.Evaluate(self.expression(), token.line)

    def _ends_here(self) -> bool:
        return self.token.kind == "end" or self.is_next(";", "}")

    def _end_of_statement(self) -> None:
        if not self.accept(";") and not self._ends_here() and not self.token.fresh:
            raise self.unexpected("expected ';'")

    def _declaration(self) -> ast.Declare | None:
        """`var a = 1, b` or `int a = 1`, if that is what comes."""
        start = self.token
        if not self.accept("var"):
            length = self._length_of_type()
            if not length:
                return None
            self.at += length
        names: list[tuple[str, ast.Expression | None]] = []
        while True:
            name = self.name().text
            names.append((name, self.expression() if self.accept("=") else None))
            if not self.accept(","):
                return ast.Declare(tuple(names), start.line)

    def _length_of_type(self) -> int:
        """How many tokens name a type before a variable's name; 0 if this is no declaration."""
        if self.token.text in KEYWORDS or self.token.text in CONSTANTS:
            return 0
        length = 1
        while self.peek(length).text == "." and self.peek(length + 1).kind == "name":
            length += 2
        while self.peek(length).text == "[" and self.peek(length + 1).text == "]":
            length += 2
        variable = self.peek(length)
        if variable.kind != "name" or variable.fresh or variable.text in WORDS or variable.text in KEYWORDS:
            return 0
        return length

    def _is_map(self) -> bool:
        """Whether a brace at the beginning of a statement begins a map: {key: ... or {"key": ..."""
        key, colon = self.peek(), self.peek(2)
        return (key.kind in ("name", "string", "number") and colon.text == ":" and colon.kind == "operator") or (
            key.text == "}" and key.kind == "operator" and colon.kind == "end"
        )

    def block(self) -> ast.Block:
        """Statements in braces, or a single one without."""
        start = self.token
        if not self.accept("{"):
            if self.accept(";"):
                return ast.Block((), start.line, start.line)
            statement = self.statement()
            return ast.Block((statement,), start.line, statement.line)
        statements = self._statements("}")
        if self.token.kind == "end":
            raise fault("unbalanced braces: '{' is never closed", start.line)
        return ast.Block(statements, start.line, self.take().line)

    def _within(self, jumps: frozenset[str]) -> ast.Block:
        """A block in which break or continue may stand, or, in a function, no longer may."""
        outer, self.jumps = self.jumps, jumps
        block = self.block()
        self.jumps = outer
        return block

    def _condition(self) -> ast.Expression:
        self.expect("(")
        condition = self.expression()
        self.expect(")")
        return condition

    def _if(self) -> ast.If:
        start = self.take()
        condition = self._condition()
        yes = self.block()
        no: ast.Block | ast.If | None = None
        if self.accept("else"):
            no = self._if() if self.is_next("if") else self.block()
        return ast.If(condition, yes, no, start.line)

    def _while(self) -> ast.While:
        start = self.take()
        condition = self._condition()
        return ast.While(condition, start.text == "until", self._within(LOOP), start.line)

    def _do(self) -> ast.DoWhile:
        start = self.take()
        body = self._within(LOOP)
        word = self.accept("while", "until")
        if not word:
            raise self.unexpected("expected 'while' or 'until'")
        condition = self._condition()
        self._end_of_statement()
        return ast.DoWhile(condition, word.text == "until", body, start.line)

    def _for(self) -> ast.Statement:
        start = self.take()
        self.expect("(")
        if name := self._name_of_each():
            items = self.expression()
            self.expect(")")
            return ast.ForEach(name, items, self._within(LOOP), start.line)
        first = () if self.is_next(";") else (self._simple(),)
        self.expect(";")
        condition = None if self.is_next(";") else self.expression()
        self.expect(";")
        step = self.items(")")
        return ast.For(first, condition, step, self._within(LOOP), start.line)

    def _name_of_each(self) -> str | None:
        """The variable of `(name : `, `(var name : `, `(Type name : `, which are taken; otherwise nothing is."""
        length = 1 if self.is_next("var") else self._length_of_type()
        name, colon = self.peek(length), self.peek(length + 1)
        if name.kind != "name" or colon.text not in (":", "in") or colon.kind == "string":
            return None
        self.at += length + 2
        return name.text

    def _switch(self) -> ast.Switch:
        start = self.take()
        value = self._condition()
        opening = self.expect("{")
        outer, self.jumps = self.jumps, self.jumps | {"break"}
        cases: list[ast.Case] = []
        while not self.is_next("}"):
            case = self.token
            if case.kind == "end":
                raise fault("unbalanced braces: '{' is never closed", opening.line)
            if not self.accept("case", "default"):
                raise self.unexpected("expected 'case' or 'default'")
            label = self.expression() if case.text == "case" else None
            self.expect(":")
            cases.append(ast.Case(label, self._statements("case", "default", "}"), case.line))
        self.jumps = outer
        if sum(case.value is None for case in cases) > 1:
            raise fault("a switch with two defaults", start.line)
        return ast.Switch(value, tuple(cases), start.line, self.take().line)

    def _function(self) -> ast.Function:
        start = self.take()
        name = self.name().text
        self.expect("(")
        parameters: list[str] = []
        while not self.accept(")"):
            parameters.append(self.name().text)
            if not self.accept(","):
                self.expect(")")
                break
        if len(set(parameters)) < len(parameters):
            raise fault(f"two parameters of {name} have the same name", start.line)
        if not self.is_next("{"):
            raise self.unexpected(f"expected the body of {name}")
        return ast.Function(name, tuple(parameters), self._within(frozenset()), start.line)
