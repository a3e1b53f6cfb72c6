"""The alarm that a message brings as its body (compat/data_model.md 7). Tenant and owner are never taken from there."""

import enum
from typing import Any

import msgspec

from rules.node.message import Msg
from thingsboard.kernel.ids import EntityId


class Severity(enum.StrEnum):
    """How bad an alarm is."""

    CRITICAL = "CRITICAL"
    MAJOR = "MAJOR"
    MINOR = "MINOR"
    WARNING = "WARNING"
    INDETERMINATE = "INDETERMINATE"

    @classmethod
    def of(cls, text: str) -> "Severity":
        """By its name. Raises ValueError with a sentence."""
        try:
            return cls(text)
        except ValueError:
            raise ValueError(f"Unknown alarm severity {text[:40]!r}; expected one of {', '.join(cls)}.") from None


class MessageAlarm(msgspec.Struct, frozen=True, rename="camel"):
    """What counts of it; the rest is ignored. Times in ms, 0 where they are not said."""

    type: str
    severity: Severity
    originator: dict[str, Any] | None = None
    start_ts: int = 0
    end_ts: int = 0
    details: Any = None
    propagate: bool = False
    propagate_to_owner: bool = False
    propagate_to_tenant: bool = False
    propagate_relation_types: tuple[str, ...] | None = None

    @classmethod
    def of(cls, msg: Msg) -> "MessageAlarm":
        """That of a message. Raises ValueError with a sentence where its body is no alarm."""
        try:
            return msgspec.convert(msg.data.members, cls)
        except msgspec.ValidationError as error:
            raise ValueError(f"The message body is not an alarm: {error}") from None

    def owner(self) -> EntityId | None:
        """Whose it is, None: the message's originator's. Raises ValueError."""
        return None if self.originator is None else EntityId.from_json(self.originator)
