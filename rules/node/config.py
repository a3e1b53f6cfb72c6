"""Configurations of nodes: typed, immutable, with ThingsBoard's names (camelCase) outside and ours inside."""

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import msgspec


class Config(msgspec.Struct, frozen=True, rename="camel"):
    """The base of all configurations. Members that are missing have their defaults, members that nobody knows are ignored:
    ThingsBoard saves partial configurations, and those of its other versions (compat/rule_engine.md, last lines).

    `NEW` has what a new node has otherwise, by its outside name: in ThingsBoard a truth value that is missing is false, while
    that of a new node may be true.
    """

    NEW: ClassVar[Mapping[str, Any]] = {}

    @classmethod
    def read(cls, raw: Any) -> Self:
        """From saved JSON; members that are null have their defaults. Raises ValueError with a sentence."""
        if raw is None:
            raw = {}
        if not isinstance(raw, dict):
            raise ValueError("The configuration is not a JSON object.")
        try:
            return msgspec.convert({key: value for key, value in raw.items() if value is not None}, cls, strict=False)
        except msgspec.ValidationError as error:
            raise ValueError(f"The configuration cannot be used: {error}") from None

    def saved(self) -> dict[str, Any]:
        """As it is saved: JSON values."""
        members: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(self))
        return members


class NoConfig(Config, frozen=True):
    """Nodes without settings have ThingsBoard's empty one."""

    version: int = 0
