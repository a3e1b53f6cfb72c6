"""Texts with places for what a message says: `${key}`, `$[a.b.c]`, `${*}`, `$[*]` (compat/rule_engine.md, "Templates").

Read once, when the node is made. Deviation from ThingsBoard: what was filled in is text and never a template again.
"""

import re
from collections.abc import Sequence
from typing import Any

from rules.node.message import Msg
from thingsboard.kernel.encoding import json_bytes

_PLACE = re.compile(r"\$\{([^}]+)\}|\$\[([^\]]+)\]")
_ABSENT = object()

# From and up to these, Java writes a double without an exponent.
_SMALLEST_PLAIN, _LARGEST_PLAIN = 1e-3, 1e7


class Template:
    """One text. `constant` says that it has no places: it is the same for every message."""

    __slots__ = ("_parts", "constant", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._parts: list[str | tuple[str, str, tuple[str, ...]]] = []  # text, or: as written, metadata's key, path
        end = 0
        for place in _PLACE.finditer(text):
            self._parts.append(text[end : place.start()])
            key, path = place.groups()
            self._parts.append((place[0], key or "", tuple(path.split(".")) if path else ()))
            end = place.end()
        self._parts.append(text[end:])
        self.constant = len(self._parts) == 1

    def fill(self, msg: Msg) -> str:
        """The text for a message; places for what it does not have remain as they are. Raises ValueError where a body that is
        asked is not JSON.
        """
        if self.constant:
            return self.text
        return "".join(part if isinstance(part, str) else _filled(part, msg) for part in self._parts)


def fill_all(templates: Sequence[Template], msg: Msg) -> list[str]:
    """The texts of several for one message."""
    return [template.fill(msg) for template in templates]


def java_text(value: Any) -> str | None:
    """A leaf of a JSON document as ThingsBoard writes it into a text; None for an object or array."""
    if isinstance(value, str):
        return value
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _double(value)
    return None


def _filled(part: tuple[str, str, tuple[str, ...]], msg: Msg) -> str:
    written, key, path = part
    if key == "*":
        return json_bytes(dict(msg.metadata)).decode()
    if key:
        return msg.metadata.get(key, written)
    if path == ("*",):
        return json_bytes(msg.data.value).decode()
    value = msg.data.value
    for name in path:
        value = value.get(name, _ABSENT) if isinstance(value, dict) and name else _ABSENT
    text = None if value is _ABSENT else java_text(value)
    return written if text is None else text


def _double(value: float) -> str:
    """As Java's Double.toString: an exponent outside 1e-3 .. 1e7, without a plus and with at least one decimal."""
    if value == 0 or _SMALLEST_PLAIN <= abs(value) < _LARGEST_PLAIN:
        return repr(value)
    digits, _, exponent = f"{value!r}".partition("e")
    if not exponent:
        exact = f"{value:.17e}"
        shift = int(exact.partition("e")[2])
        sign = "-" if value < 0 else ""
        bare = digits.lstrip("-").replace(".", "").strip("0") or "0"
        return f"{sign}{bare[0]}.{bare[1:] or '0'}E{shift}"
    return f"{digits if '.' in digits else digits + '.0'}E{int(exponent)}"
