"""What nodes remember by key: what is stored, under what the batch has written so far."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

import orjson
import psycopg

from rules.engine.journal import Journal
from thingsboard.kernel.encoding import json_bytes

Connection = psycopg.Connection[Any]

LARGEST_VALUE = 256 * 1024  # bytes of JSON
LONGEST_KEY = 255

_READ = (
    "SELECT key, value::text FROM rules_nodestate WHERE tenant_id = %s AND node_id = %s AND key = ANY(%s) "
    "ORDER BY key FOR UPDATE"
)
_KEEP = """
    INSERT INTO rules_nodestate (tenant_id, node_id, key, value)
    SELECT %s::uuid, * FROM unnest(%s::uuid[], %s::text[], %s::text[]::jsonb[])
    ON CONFLICT (node_id, key) DO UPDATE SET value = excluded.value
"""
_ADD = """
    INSERT INTO rules_nodestate AS s (tenant_id, node_id, key, value)
    SELECT %s::uuid, * FROM unnest(%s::uuid[], %s::text[], %s::text[]::jsonb[])
    ON CONFLICT (node_id, key) DO UPDATE SET value = to_jsonb(s.value::bigint + excluded.value::bigint)
"""
_ABSENT: Final = object()


@dataclass(slots=True)
class _Value:
    """`stored` is what was read (_ABSENT: nothing), `kept` what replaces it; `added` comes on top of either."""

    read: bool = False
    stored: Any = _ABSENT
    kept: Any = _ABSENT
    added: int = 0

    @property
    def present(self) -> Any:
        """What it is in the eyes of the batch."""
        value = self.stored if self.kept is _ABSENT else self.kept
        if self.added:
            return self.added if value is _ABSENT else value + self.added
        return value


class States:
    """Of one batch of one tenant, on its connection."""

    def __init__(self, connection: Connection, tenant_id: uuid.UUID, journal: Journal) -> None:
        self._connection, self._tenant_id, self._journal = connection, tenant_id, journal
        self._values: dict[tuple[bytes, str], _Value] = {}

    def of(self, node: bytes, keys: Collection[str]) -> dict[str, Any]:
        """The values under these keys, held until the batch ends. One statement for all that were not read yet."""
        values = {key: self._values.setdefault((node, key), _Value()) for key in keys}
        missing = [key for key, value in values.items() if not value.read]
        if missing:
            parameters = [self._tenant_id, uuid.UUID(bytes=node), missing]
            rows = psycopg.Cursor(self._connection).execute(_READ, parameters, prepare=True)
            found = {key: orjson.loads(text) for key, text in rows}
            for key in missing:
                values[key].read, values[key].stored = True, found.get(key, _ABSENT)
        return {key: value.present for key, value in values.items() if value.present is not _ABSENT}

    def keep(self, node: bytes, key: str, value: Any) -> None:
        """Replace a value. Raises ValueError for one that is too large, or a key that is too long."""
        size = len(json_bytes(value))
        if size > LARGEST_VALUE or len(key) > LONGEST_KEY:
            raise ValueError(
                f"A node remembers {size} bytes under a key of {len(key)} characters; "
                f"at most {LARGEST_VALUE} bytes and {LONGEST_KEY} characters are possible."
            )
        self._change(self._values.setdefault((node, key), _Value()), value, 0)

    def add(self, node: bytes, key: str, by: int) -> None:
        """Add to a number."""
        value = self._values.setdefault((node, key), _Value())
        self._change(value, value.kept, value.added + by)

    def _change(self, value: _Value, kept: Any, added: int) -> None:
        before = value.kept, value.added

        def undo() -> None:
            value.kept, value.added = before

        value.kept, value.added = kept, added
        self._journal.note(undo)

    def write(self) -> None:
        """Write what was not written yet, in the order of nodes and keys: two statements at most."""
        kept, added = [], []
        for (node, key), value in sorted(self._values.items(), key=lambda item: item[0]):
            if value.kept is not _ABSENT:
                kept.append((uuid.UUID(bytes=node), key, json_bytes(value.present).decode()))
            elif value.added:
                added.append((uuid.UUID(bytes=node), key, str(value.added)))
        for sql, rows in ((_KEEP, kept), (_ADD, added)):
            if rows:
                columns = [list(column) for column in zip(*rows, strict=True)]
                psycopg.Cursor(self._connection).execute(sql, [self._tenant_id, *columns])
        self.forget()

    def forget(self) -> None:
        """Undo what was not written; what was read is read again."""
        self._values.clear()
