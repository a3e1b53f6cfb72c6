"""JSONPath as ThingsBoard has it (Jayway), on the library python-jsonpath.

What Jayway has otherwise than RFC 9535 is here: `$.` may be left out, a path to one place gives what is there and fails where
nothing is, every other path gives a list, and a function such as `.length()` may stand at the end.

A path is bounded when it is applied: so many steps, of which each looks at one value; paths inside filters lead to one place;
regular expressions are stopped. Where python-jsonpath does it otherwise: a filter tests the elements of an array or the members
of an object, while Jayway tests an object itself.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import jsonpath
import regex
from jsonpath.env import JSONPathEnvironment
from jsonpath.exceptions import JSONPathError
from jsonpath.filter import BaseExpression, FilterQuery, RegexLiteral
from jsonpath.match import JSONPathMatch
from jsonpath.segments import JSONPathRecursiveDescentSegment, JSONPathSegment
from jsonpath.selectors import Filter, NameSelector

from rules.node.path_functions import FUNCTIONS
from thingsboard.kernel.encoding import json_bytes

LONGEST: Final = 1000  # characters
MOST_STEPS: Final = 50_000
LARGEST: Final = 4 << 20  # bytes of what a path to many places finds: it may find the same again and again
SLOWEST_REGEX_S: Final = 0.1  # of processor time, for one value

# A text in quotes; a name behind a point, which ends at the next point, bracket or space; anything else.
_TOKEN = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|(?P<point>\.\.?)(?P<name>[^.\[\]()\s|&*]+)|.""", re.DOTALL)
_AT_END = re.compile(r"\.([a-z]+)\(\s*(-?\d{0,9})\s*\)$")


class JsonPath:
    """One path, compiled. `find` applies it."""

    __slots__ = ("_definite", "_function", "_names", "_path", "_prefix", "_scans", "text")

    def __init__(self, text: str) -> None:
        """Raises ValueError with a sentence where it is no path."""
        self.text = text.strip()
        if not self.text:
            raise ValueError("The JSONPath is empty.")
        if len(self.text) > LONGEST:
            raise ValueError(f"The JSONPath has {len(self.text)} characters; at most {LONGEST} are accepted.")
        path = self.text if self.text[0] in "$@" else f"$.{self.text}"
        path, self._function = _without_function(path)
        try:
            compiled = _ENVIRONMENT.compile(_quoted("$" + path[1:]))
        except (JSONPathError, re.error, ValueError, RecursionError) as error:
            raise ValueError(f"{self.text[:80]!r} is not a JSONPath: {_sentence(error)}.") from None
        if not isinstance(compiled, jsonpath.JSONPath):
            raise ValueError(f"{self.text[:80]!r} is not a JSONPath: it joins several.")
        for segment in compiled.segments:
            for selector in segment.selectors:
                if isinstance(selector, Filter):
                    _check(selector.expression, self.text)
        segments = compiled.segments
        self._names = _picked(segments)
        self._path = segments[:-1] if self._names else segments
        count = _singular(self._path)
        self._definite = count == len(self._path)
        self._prefix = self._path[:count]
        self._scans = ".." in path

    def find(self, document: Any) -> Any:
        """What the path leads to. Raises ValueError where it leads nowhere, or takes too long."""
        steps = _Steps()
        try:
            if not self._definite and self._prefix and not _values(self._prefix, document, steps):
                raise self._nothing()
            found = _values(self._path, document, steps)
            if self._names:
                found = [
                    {key: each[key] for key in self._names if key in each} for each in found if isinstance(each, dict)
                ]
        except (JSONPathError, RecursionError) as error:
            raise ValueError(f"The JSONPath {self.text[:80]!r} cannot be applied: {_sentence(error)}.") from None
        if self._definite:
            if not found:
                raise self._nothing()
            return found[0] if self._function is None else self._function(found[0])
        if self._function is None:
            self._check_size(found)
            return found
        return self._function(found) if self._scans else [self._function(each) for each in found]

    def _check_size(self, found: list[Any]) -> None:
        size = 0
        for each in found if len(found) > 1 else ():
            size += len(json_bytes(each))
            if size > LARGEST:
                raise ValueError(f"The JSONPath {self.text[:80]!r} finds more than {LARGEST} bytes in this message.")

    def _nothing(self) -> ValueError:
        return ValueError(f"No results for path: {self.text[:200]}")


class _Steps:
    """How many may still be done."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = MOST_STEPS

    def take(self) -> None:
        """Raises ValueError where there is none left."""
        self.left -= 1
        if self.left < 0:
            raise ValueError(f"The JSONPath takes more than {MOST_STEPS} steps in this message.")


class _Match(JSONPathMatch):
    """A value that was looked at; makes its children of the same class."""

    __slots__ = ()

    def __init__(self, *, filter_context: Mapping[str, Any], **more: Any) -> None:
        filter_context["steps"].take()
        super().__init__(filter_context=filter_context, **more)

    def new_child(self, obj: object, key: int | str) -> JSONPathMatch:
        """Without its path, which nobody asks for and takes most of the time."""
        context = self.filter_context()
        return _Match(filter_context=context, obj=obj, parent=None, path="", parts=(), root=self.root)

    def add_child(self, *children: JSONPathMatch) -> None:
        """Nobody asks for them."""


class _Environment(JSONPathEnvironment):
    """Without functions in filters, and with regular expressions that can be stopped."""

    def setup_function_extensions(self) -> None:
        """None: those of RFC 9535 are not Jayway's."""

    def compare(self, left: object, operator: str, right: object) -> bool:
        """As the library does; raises ValueError where a regular expression takes too long."""
        if operator != "=~" or not isinstance(right, re.Pattern):
            return super().compare(left, operator, right)
        if not isinstance(left, str):
            return False
        try:
            return regex.fullmatch(right.pattern, left, flags=_flags(right), timeout=SLOWEST_REGEX_S) is not None
        except TimeoutError:
            raise ValueError("The regular expression of the JSONPath takes too long.") from None


_ENVIRONMENT: Final = _Environment()


def _values(segments: Iterable[JSONPathSegment], document: Any, steps: _Steps) -> list[Any]:
    root = _Match(filter_context={"steps": steps}, obj=document, parent=None, path="$", parts=(), root=document)
    matches: Iterable[JSONPathMatch] = [root]
    for segment in segments:
        matches = segment.resolve(matches)
    return [match.obj for match in matches]


def _picked(segments: Sequence[JSONPathSegment]) -> tuple[str, ...]:
    """Several names at the end, which pick members of an object."""
    if not segments or isinstance(segments[-1], JSONPathRecursiveDescentSegment):
        return ()
    selectors = segments[-1].selectors
    names = tuple(each.name for each in selectors if isinstance(each, NameSelector))
    return names if len(names) == len(selectors) > 1 else ()


def _singular(segments: Sequence[JSONPathSegment]) -> int:
    """How many segments at the beginning lead to one place: what they name must be there."""
    count = 0
    for segment in segments:
        if not jsonpath.JSONPath(env=_ENVIRONMENT, segments=[segment]).singular_query():
            break
        count += 1
    return count


def _sentence(error: Exception) -> object:
    """What a library says, without the drawing of where."""
    return error.args[0] if error.args else type(error).__name__


def _check(expression: BaseExpression, text: str) -> None:
    """That the paths in a filter lead to one place each, and its patterns compile. Raises ValueError."""
    if isinstance(expression, FilterQuery) and not expression.path.singular_query():
        raise ValueError(f"The JSONPath {text[:80]!r} cannot be used: a path in a filter may lead to one place only.")
    if isinstance(expression, RegexLiteral):
        try:
            regex.compile(expression.value.pattern, _flags(expression.value))
        except regex.error as error:
            raise ValueError(f"The JSONPath {text[:80]!r} has a wrong regular expression: {error}.") from None
    for child in expression.children():
        _check(child, text)


def _flags(pattern: re.Pattern[str]) -> int:
    """Those that are spelt the same in both libraries."""
    return pattern.flags & (re.IGNORECASE | re.MULTILINE | re.DOTALL)


def _quoted(path: str) -> str:
    """With quotes around names behind points, but in brackets: Jayway's may have all kinds of characters, `$.1st.a:b`."""
    parts: list[str] = []
    depth = 0
    for token in _TOKEN.finditer(path):
        text, name = token[0], token["name"]
        depth += (text == "[") - (text == "]")
        if name is not None and depth == 0:
            escaped = name.replace("\\", "\\\\").replace("'", "\\'")
            text = f"{'..' if token['point'] == '..' else ''}['{escaped}']"
        parts.append(text)
    return "".join(parts)


def _without_function(path: str) -> tuple[str, Callable[[Any], Any] | None]:
    """The path, and what is done with its result in the end. Raises ValueError."""
    call = _AT_END.search(path)
    if call is None:
        return path, None
    name, argument = call.groups()
    if name not in FUNCTIONS or (name == "index") != bool(argument):
        raise ValueError(f"The JSONPath ends with {call[0][:40]!r}; expected one of {', '.join(FUNCTIONS)}.")
    function = FUNCTIONS[name]
    index = int(argument) if argument else 0
    return path[: call.start()], lambda found: function(found, index)
