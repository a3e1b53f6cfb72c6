"""What is measured: points, attributes, their scopes and the five kinds of value."""

import enum
from typing import NamedTuple

# 0 <= ts < 2100-01-01: what a device may claim (architecture.md 4).
END_OF_TIME_MS = 4_102_444_800_000

LONGEST_KEY = 255


class Json(str):
    """A value of kind JSON, as its text."""

    __slots__ = ()


Value = bool | int | float | str | Json

# One time stamp (ms) and the values measured then.
Reading = tuple[int, dict[str, Value]]


class Point(NamedTuple):
    """One value of a series; `ts` in ms."""

    ts: int
    value: Value | None


class Scope(enum.IntEnum):
    """Who writes an attribute: the device, the platform, or the platform for the device (compat/data_model.md 8)."""

    CLIENT = 1
    SERVER = 2
    SHARED = 3

    @property
    def json(self) -> str:
        """ThingsBoard's name: CLIENT_SCOPE, SERVER_SCOPE, SHARED_SCOPE."""
        return f"{self.name}_SCOPE"

    @classmethod
    def of(cls, name: str) -> "Scope":
        """The scope of ThingsBoard's name. Raises ValueError with a sentence."""
        for scope in cls:
            if scope.json == name:
                return scope
        raise ValueError(f"Invalid scope: {name[:40]}; expected CLIENT_SCOPE, SERVER_SCOPE or SHARED_SCOPE")


class Attribute(NamedTuple):
    """One attribute; `last_update_ts` in ms."""

    key: str
    scope: Scope
    value: Value
    last_update_ts: int


class Aggregation(enum.StrEnum):
    """How the points of an interval become one (compat/data_model.md 8)."""

    NONE = "NONE"
    MIN = "MIN"
    MAX = "MAX"
    AVG = "AVG"
    SUM = "SUM"
    COUNT = "COUNT"
