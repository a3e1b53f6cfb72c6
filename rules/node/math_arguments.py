"""The arguments and the result of the node "math function", as they are configured."""

import enum
import re
from typing import Any, Final

from rules.node.config import Config
from telemetry.points import Scope

# What Java takes for a double, but for hexadecimal digits.
_DOUBLE: Final = re.compile(r"[+-]?(?:NaN|Infinity|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[fFdD]?)")


class Place(enum.StrEnum):
    """Where an argument comes from, and where the result goes (never to CONSTANT)."""

    ATTRIBUTE = "ATTRIBUTE"
    TIME_SERIES = "TIME_SERIES"
    MESSAGE_BODY = "MESSAGE_BODY"
    MESSAGE_METADATA = "MESSAGE_METADATA"
    CONSTANT = "CONSTANT"


class MathArgument(Config, frozen=True):
    """One argument. `key` has templates, but for a constant, where it is the number; without a scope it is SERVER_SCOPE."""

    name: str | None = None
    type: Place = Place.MESSAGE_BODY
    key: str | None = None
    attribute_scope: str | None = None
    default_value: float | None = None

    def scope(self) -> Scope:
        """Of an attribute. Raises ValueError."""
        return scope_of(self.attribute_scope)

    def absent(self, why: str) -> float:
        """The default, where there is no value. Raises ValueError where there is no default either."""
        if self.default_value is None:
            raise ValueError(why)
        return self.default_value


class MathResult(Config, frozen=True):
    """Where the result goes, as what, and rounded to how many decimal places (0: a whole number)."""

    type: Place = Place.MESSAGE_BODY
    key: str | None = None
    result_value_precision: int | None = 0
    add_to_body: bool | None = False
    add_to_metadata: bool | None = False
    attribute_scope: str | None = None


def scope_of(name: str | None) -> Scope:
    """Raises ValueError."""
    return Scope.of(name) if name else Scope.SERVER


def number(value: Any) -> float:
    """Of a value that is stored, or in a message. Raises ValueError with ThingsBoard's sentence."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    text = str(value).strip()
    if isinstance(value, str) and _DOUBLE.fullmatch(text):
        return float(text.rstrip("fFdD"))
    shown = str(value).lower() if isinstance(value, bool) else str(value)
    raise ValueError(f"Can't convert value '{shown[:80]}' to double!")
