"""The syntax tree to JavaScript: statements. What a line of the script means stands on the same line of the JavaScript."""

from collections.abc import Sequence

from thingsboard.kernel.script.tbel import syntax as ast
from thingsboard.kernel.script.tbel.emit_expressions import ExpressionEmitter
from thingsboard.kernel.script.tbel.scope import mangled, scope_of


def emit(script: ast.Block, args: Sequence[str]) -> str:
    """The body of a JavaScript function with these arguments that does what the script does."""
    emitter = Emitter(args, script)
    emitter.write('"use strict";')
    emitter.body(script)
    return "".join(emitter.parts)


class Emitter(ExpressionEmitter):
    """Writes statements."""

    def body(self, block: ast.Block) -> None:
        """The statements of a function: its variables first, then what it does, then null as its value."""
        hidden = self.scope.functions
        names = [mangled(name) for name in self.scope.variables if name not in hidden]
        switches = len(self.parts)
        if names:
            self.write("var " + ",".join(f"{name}=null" for name in names) + ";")
        self.statements(block.statements, tail=True)
        self.write("return null;")
        if self.scope.switches:
            self.parts[switches:switches] = ["var " + ",".join(f"$s{i}" for i in range(self.scope.switches)) + ";"]

    def statements(self, statements: Sequence[ast.Statement], tail: bool = False) -> None:
        """Statements one after the other. At the tail of a function the last one's value is the function's."""
        last = max((i for i, one in enumerate(statements) if not isinstance(one, ast.Function)), default=-1)
        for number, statement in enumerate(statements):
            self.statement(statement, tail and number == last)

    def statement(self, statement: ast.Statement, tail: bool) -> None:
        """One statement."""
        self.line_of(statement)
        match statement:
            case ast.Evaluate():
                self.write("return (" if tail else "(")
                self.expression(statement.expression)
                self.write(");")
            case ast.Declare():
                self._declare(statement, tail)
            case ast.Return():
                self.write("return (")
                self.expression(statement.value or ast.Literal(None, statement.line))
                self.write(");")
            case ast.Jump():
                self.write(f"{statement.word};")
            case ast.Block():
                self.block(statement, tail)
            case ast.If():
                self._if(statement, tail)
            case ast.Function():
                self._function(statement)
            case ast.Switch():
                self._switch(statement, tail)
            case _:
                self._loop(statement)

    def block(self, block: ast.Block, tail: bool = False) -> None:
        """Statements in braces."""
        self.write("{")
        self.statements(block.statements, tail)
        self.write("}")

    def _declare(self, statement: ast.Declare, tail: bool) -> None:
        for name, value in statement.names:
            self.write(f"{mangled(name)}=(")
            self.expression(value or ast.Literal(None, statement.line))
            self.write(");")
        if tail:
            self.write(f"return {mangled(statement.names[-1][0])};")

    def _condition(self, word: str, condition: ast.Expression, negated: bool = False) -> None:
        self.write(f"{word}(!(" if negated else f"{word}(")
        self.expression(condition)
        self.write("))" if negated else ")")

    def _if(self, statement: ast.If, tail: bool) -> None:
        while True:
            self._condition("if", statement.condition)
            self.block(statement.yes, tail)
            if statement.no is None:
                return None
            self.write("else ")
            if isinstance(statement.no, ast.Block):
                return self.block(statement.no, tail)
            statement = statement.no
            self.line_of(statement)

    def _loop(self, statement: ast.While | ast.DoWhile | ast.For | ast.ForEach) -> None:
        match statement:
            case ast.While():
                self._condition("while", statement.condition, statement.negated)
                self.block(statement.body)
            case ast.DoWhile():
                self.write("do")
                self.block(statement.body)
                self._condition("while", statement.condition, statement.negated)
                self.write(";")
            case ast.ForEach():
                self.write(f"for({mangled(statement.name)} of $each(")
                self.expression(statement.items)
                self.write("))")
                self.block(statement.body)
            case ast.For():
                for first in statement.first:
                    self.statement(first, tail=False)
                self.write("for(;")
                if statement.condition:
                    self.expression(statement.condition)
                self.write(";")
                for number, step in enumerate(statement.step):
                    self.write("," if number else "")
                    self.expression(step)
                self.write(")")
                self.block(statement.body)

    def _switch(self, statement: ast.Switch, tail: bool) -> None:
        """Cases compare by value, as == does, which JavaScript's do not."""
        variable = f"$s{self.scope.switches}"
        self.scope.switches += 1
        self.write(f"{variable}=")
        self.expression(statement.value)
        self.write(";switch(true){")
        for case in statement.cases:
            self.line_of(case)
            if case.value is None:
                self.write("default:")
            else:
                self.write(f"case $eq({variable},")
                self.expression(case.value)
                self.write("):")
            self.statements(case.statements)
        self.write("}")

    def _function(self, function: ast.Function) -> None:
        outer = self.scope
        self.scope = scope_of(function.parameters, function.body, outer)
        parameters = ",".join(f"{mangled(name)}=null" for name in function.parameters)
        self.write(f"function {mangled(function.name)}({parameters}){{")
        self.body(function.body)
        self.write("}")
        self.scope = outer
