"""Java's regular expressions over the keys of messages ("copy key-value pairs", "delete key-value pairs").

Their engine is the library `regex`: it knows look-around, possessive quantifiers and intersections of sets as Java does, and
it can be stopped. RE2 needs no stopping, but refuses look-ahead, with which people say "all but these keys".
"""

import re
from collections.abc import Iterable
from typing import Final

import regex

LONGEST_PATTERN: Final = 1000  # characters
LONGEST_KEY: Final = 1000  # characters; longer ones are not looked at
SLOWEST_S: Final = 0.1  # of processor time, for one key and one pattern
SLOWEST_BATCH_S: Final = 0.5

_GROUP = re.compile(r"\?(?:[:=!>]|<[=!]|<[A-Za-z][A-Za-z0-9]*>|[imsx-]+[:)])")
_TIMES = re.compile(r"\{\d{1,4}(?:,\d{0,4})?\}")
_ESCAPED = re.compile(r"\\(?:[pPx]\{[^}]*\}|.|$)", re.DOTALL)
_NAMED = re.compile(r"\\k<([A-Za-z][A-Za-z0-9]*)>")
_SPECIAL = frozenset("\\^$.|?*+()[]{}&")


class KeyPatterns:
    """Some patterns. A key matches where any of them matches the whole of it."""

    __slots__ = ("_names", "_patterns")

    def __init__(self, patterns: Iterable[str]) -> None:
        """Raises ValueError for what is no pattern."""
        texts = list(patterns)
        self._names = frozenset(text for text in texts if _SPECIAL.isdisjoint(text))
        self._patterns = [compiled(text) for text in texts if text not in self._names]

    def matches(self) -> "Matches":
        """For the keys of one batch."""
        return Matches(self._names, self._patterns)


class Matches:
    """Which keys match: each is looked at once, and all of them for no more than SLOWEST_BATCH_S."""

    __slots__ = ("_known", "_names", "_patterns", "_slow")

    def __init__(self, names: frozenset[str], patterns: "list[regex.Pattern[str]]") -> None:
        self._names, self._patterns = names, patterns
        self._known: dict[str, bool | None] = {}
        self._slow = 0.0

    def __call__(self, key: str) -> bool:
        """Raises ValueError where a pattern takes too long to say it."""
        if key in self._names:
            return True
        if not self._patterns:
            return False
        if key not in self._known:
            self._known[key] = self._look(key)
        found = self._known[key]
        if found is None:
            raise ValueError(f"The patterns of keys cannot be applied to {key[:40]!r}: they take too long.")
        return found

    def _look(self, key: str) -> bool | None:
        if len(key) > LONGEST_KEY:
            return False
        for pattern in self._patterns:
            if self._slow >= SLOWEST_BATCH_S:
                return None
            try:
                if pattern.fullmatch(key, timeout=SLOWEST_S) is not None:
                    return True
            except TimeoutError:
                self._slow += SLOWEST_S
                return None
        return False


def compiled(text: str) -> "regex.Pattern[str]":
    """A pattern in Java's syntax. Raises ValueError with a sentence."""
    if len(text) > LONGEST_PATTERN:
        raise ValueError(f"A pattern has {len(text)} characters; at most {LONGEST_PATTERN} are accepted.")
    try:
        return regex.compile(_translated(text), regex.VERSION1 | regex.ASCII)
    except regex.error as error:
        raise ValueError(f"{text[:80]!r} is not a regular expression: {error}.") from None


def _translated(text: str) -> str:
    """As `regex` wants it: its own extensions (recursion, fuzzy matching) are refused, Java's quotations are written out."""
    parts: list[str] = []
    depth = at = 0  # how many sets are open
    while at < len(text):
        char, step = text[at], 1
        part = char
        if text.startswith("\\Q", at):
            end = text.find("\\E", at)
            quoted = text[at + 2 :] if end < 0 else text[at + 2 : end]
            part, step = regex.escape(quoted), len(quoted) + 4
        elif named := _NAMED.match(text, at):
            part, step = f"(?P={named[1]})", len(named[0])
        elif escaped := _ESCAPED.match(text, at):
            part = escaped[0]
            step = len(part)
        elif char == "[":
            depth += 1
        elif char == "]":
            depth = max(depth - 1, 0)
        elif depth == 0 and (
            (char == "(" and text.startswith("?", at + 1) and not _GROUP.match(text, at + 1))
            or (char == "{" and not _TIMES.match(text, at))
        ):
            raise ValueError(f"{text[:80]!r} is not a regular expression of Java: {text[at : at + 3]!r} means nothing.")
        parts.append(part)
        at += step
    return "".join(parts)
