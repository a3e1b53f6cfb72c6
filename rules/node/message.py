"""The message of the rule engine (compat/rule_engine.md, "Message fields")."""

import uuid
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Self

import orjson

from thingsboard.kernel.encoding import json_bytes
from thingsboard.kernel.ids import EntityId


class Body:
    """The data of a message: JSON text, and what it says, each made when it is first asked for. Never changed."""

    __slots__ = ("_known", "_make", "_raw", "_value")

    def __init__(self, raw: bytes | None = None) -> None:
        self._raw = raw
        self._value: Any = None
        self._known = False
        self._make: Callable[[], Any] | None = None

    @classmethod
    def of(cls, value: Any) -> Self:
        """The body that says `value`, which nobody changes any more."""
        body = cls()
        body._value, body._known = value, True
        return body

    @classmethod
    def later(cls, make: Callable[[], Any]) -> Self:
        """The body that says what `make` gives, which is called when somebody asks, once at most."""
        body = cls()
        body._make = make
        return body

    @property
    def raw(self) -> bytes:
        """The JSON text."""
        if self._raw is None:
            self._raw = json_bytes(self.value)
        return self._raw

    @property
    def value(self) -> Any:
        """What the text says; not to be changed. Raises ValueError where it is not JSON."""
        if not self._known:
            self._value = self._make() if self._make is not None else orjson.loads(self._raw or b"null")
            self._known = True
        return self._value

    @property
    def members(self) -> Mapping[str, Any]:
        """The members of a JSON object. Raises ValueError with a sentence where it is something else."""
        value = self.value
        if not isinstance(value, dict):
            raise ValueError("The message body is not a JSON object.")
        return value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Body) and self.raw == other.raw

    def __hash__(self) -> int:
        return hash(self.raw)

    def __repr__(self) -> str:
        return f"Body({self.raw[:80]!r})"


class Msg(NamedTuple):
    """One message on its way. Whoever changes it makes another one.

    `id`: 16 bytes; `ts`: ms; `stack`: the (chain, node) pairs, 16 bytes each, that called the present chain; `visited`: how
    many nodes it met; `stored`: its values are in the store as they came, until data, metadata or originator change.
    """

    id: bytes
    ts: int
    type: str
    originator: EntityId
    customer_id: uuid.UUID | None
    metadata: Mapping[str, str]
    data: Body
    queue: str = "Main"
    stored: bool = False
    stack: tuple[tuple[bytes, bytes], ...] = ()
    visited: int = 0

    @property
    def key(self) -> uuid.UUID:
        """Its id."""
        return uuid.UUID(bytes=self.id)

    @property
    def meta_ts(self) -> int:
        """When it happened (ms): `metadata.ts`, else when it came."""
        raw = self.metadata.get("ts")
        try:
            return self.ts if not raw else int(raw)
        except ValueError:
            return self.ts

    def with_data(self, value: Any, *, type: str | None = None, metadata: Mapping[str, str] | None = None) -> "Msg":
        """With another body (JSON value, or a Body), and another type and metadata where given."""
        # By position: this is called for most messages, and `_replace` takes four times as long.
        return Msg(
            self.id, self.ts, self.type if type is None else type, self.originator, self.customer_id,
            self.metadata if metadata is None else metadata, value if isinstance(value, Body) else Body.of(value),
            self.queue, False, self.stack, self.visited,
        )  # fmt: skip

    def with_metadata(self, **more: str) -> "Msg":
        """With more metadata."""
        return self._replace(metadata={**self.metadata, **more}, stored=False)

    def with_all_metadata(self, metadata: Mapping[str, str]) -> "Msg":
        """With other metadata."""
        return self._replace(metadata=metadata, stored=False)

    def with_originator(self, originator: EntityId, customer_id: uuid.UUID | None) -> "Msg":
        """Of another entity."""
        return self._replace(originator=originator, customer_id=customer_id, stored=False)
