"""TBEL source to tokens. Every token knows its line, so that errors and the JavaScript that comes out can name it."""

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["name", "number", "string", "operator", "end"]

SPACE = re.compile(r"[ \t\r\n\f\v\u00a0\ufeff]+|//[^\n]*|/\*.*?\*/", re.DOTALL)
NAME = re.compile(r"[^\W\d][\w$]*|\$[\w$]*")
UNICODE = re.compile(r"u([0-9a-fA-F]{4})")
OCTAL = re.compile(r"[0-3]?[0-7]{1,2}")
NUMBER = re.compile(r"0[xX][0-9a-fA-F]+[lL]?|(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?[lLdDfFIB]?")
OPERATORS = (
    *(">>>=", "<<<", "<<=", ">>=", ">>>", "===", "!=="),
    *("==", "!=", "<=", ">=", "&&", "||", "++", "--", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^="),
    *("<<", ">>", "**", "~=", ".?"),
    *"+-*/%=<>!&|^~?:;,.()[]{}#",
)
OPERATOR = re.compile("|".join(re.escape(operator) for operator in OPERATORS))
ESCAPES = {"\\": "\\", "b": "\b", "f": "\f", "t": "\t", "r": "\r", "n": "\n", "'": "'", '"': '"', "/": "/"}


@dataclass(frozen=True, slots=True)
class Token:
    """A word of the source: its text (a string's is its value), its line from 1, and whether it begins a line."""

    kind: Kind
    text: str
    line: int
    fresh: bool


def fault(message: str, line: int) -> ValueError:
    """The error of a source that is not TBEL."""
    return ValueError(f"{message} (line {line})")


class Lexer:
    """Cuts a source into tokens, from its beginning to its end."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.at = 0
        self.line = 1
        self.fresh = True

    def tokens(self) -> list[Token]:
        """All tokens, the last one of kind `end`. Raises ValueError naming the line of what is none."""
        found: list[Token] = []
        while (token := self._next()).kind != "end":
            found.append(token)
        return [*found, token]

    def _next(self) -> Token:
        self._skip_space()
        fresh, self.fresh = self.fresh, False
        line = self.line
        if self.at >= len(self.source):
            return Token("end", "end of script", line, True)
        if self.source[self.at] in "\"'":
            return Token("string", self._string(), line, fresh)
        if match := NUMBER.match(self.source, self.at):
            self.at = match.end()
            if self.at < len(self.source) and (self.source[self.at].isalnum() or self.source[self.at] == "_"):
                raise fault(f"unrecognized number {match[0]}{self.source[self.at]}", line)
            return Token("number", match[0], line, fresh)
        if match := NAME.match(self.source, self.at):
            self.at = match.end()
            return Token("name", match[0], line, fresh)
        if match := OPERATOR.match(self.source, self.at):
            self.at = match.end()
            return Token("operator", match[0], line, fresh)
        raise fault(f"unexpected character {self.source[self.at]!r}", line)

    def _skip_space(self) -> None:
        while match := SPACE.match(self.source, self.at):
            lines = match[0].count("\n")
            self.line += lines
            self.fresh = self.fresh or lines > 0
            self.at = match.end()
        if self.source.startswith("/*", self.at):
            raise fault("a comment that does not end", self.line)

    def _string(self) -> str:
        quote, start = self.source[self.at], self.line
        value: list[str] = []
        self.at += 1
        while self.at < len(self.source):
            char = self.source[self.at]
            self.at += 1
            if char == quote:
                return "".join(value)
            if char == "\\":
                char = self._escape()
            elif char == "\n":
                self.line += 1
            value.append(char)
        raise fault("a string that does not end", start)

    def _escape(self) -> str:
        """What follows a backslash."""
        if match := UNICODE.match(self.source, self.at):
            self.at = match.end()
            return chr(int(match[1], 16))
        if match := OCTAL.match(self.source, self.at):
            self.at = match.end()
            return chr(int(match[0], 8))
        char = self.source[self.at : self.at + 1]
        if char not in ESCAPES or not char:
            raise fault(f"illegal escape sequence \\{char}", self.line)
        self.at += 1
        return ESCAPES[char]
