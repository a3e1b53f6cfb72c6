"""Points as PostgreSQL's binary rows: pure packing, one `struct` call a point.

Two forms of the same eight columns (entity_id, key_id, ts, bool_v, long_v, dbl_v, str_v, json_v):
* a COPY row: the field count, then each field's length and bytes (PostgreSQL manual, COPY, "Binary Format");
* a record: what `record_recv` reads for the composite type `ts_point`, where each field also names its type. An
array of
  records is one parameter, so one statement takes a whole batch: `unnest($1::ts_point[])`.
"""

import struct
from collections.abc import Callable, Sequence
from typing import Any

from psycopg.adapt import Buffer, Dumper
from psycopg.pq import Format

from telemetry.points import Json, Value

COPY_START = b"PGCOPY\n\xff\r\n\0" + bytes(8)
COPY_END = b"\xff\xff"

_UUID, _INT2, _INT4, _INT8, _BOOL, _FLOAT8, _TEXT = 2950, 21, 23, 20, 16, 701, 25

# entity (16 bytes), key id, ts (ms), value -> the row's bytes
Packer = Callable[[bytes, int, int, Any], bytes]


class Packed(bytes):
    """An array of records, ready to be sent as a binary parameter; the statement's cast names its type."""

    __slots__ = ()


class PackedDumper(Dumper):
    """Sends Packed as it is, leaving the type to be inferred from the cast."""

    format = Format.BINARY
    oid = 0

    def dump(self, obj: Any) -> Buffer | None:
        """The bytes themselves."""
        return bytes(obj)


def _copy_packers() -> dict[type, Packer]:
    head = "!hi16siiiq"  # 8 fields; lengths 16, 4, 8 before entity, key, ts
    absent = struct.pack("!i", -1)
    boolean = struct.Struct(head + "iBiiii").pack
    integer = struct.Struct(head + "iiqiii").pack
    double = struct.Struct(head + "iiidii").pack
    text = struct.Struct(head + "iiii").pack

    def pack_bool(entity: bytes, key: int, ts: int, value: bool) -> bytes:
        return boolean(8, 16, entity, 4, key, 8, ts, 1, value, -1, -1, -1, -1)

    def pack_int(entity: bytes, key: int, ts: int, value: int) -> bytes:
        return integer(8, 16, entity, 4, key, 8, ts, -1, 8, value, -1, -1, -1)

    def pack_float(entity: bytes, key: int, ts: int, value: float) -> bytes:
        return double(8, 16, entity, 4, key, 8, ts, -1, -1, 8, value, -1, -1)

    def pack_str(entity: bytes, key: int, ts: int, value: str) -> bytes:
        raw = value.encode()
        return text(8, 16, entity, 4, key, 8, ts, -1, -1, -1, len(raw)) + raw + absent

    def pack_json(entity: bytes, key: int, ts: int, value: str) -> bytes:
        raw = value.encode()
        return text(8, 16, entity, 4, key, 8, ts, -1, -1, -1, -1) + struct.pack("!i", len(raw)) + raw

    return {bool: pack_bool, int: pack_int, float: pack_float, str: pack_str, Json: pack_json}


def _record_packers(scoped: bool) -> dict[type, Callable[..., bytes]]:
    """Packers of records; with `scoped` the attribute record, which has the scope (smallint) behind the entity.

    The array element's length comes first, then the number of columns.
    """
    columns = 9 if scoped else 8
    fixed = struct.Struct("!iIi16s" + ("Iih" if scoped else "") + "IiiIiq")
    none = {oid: struct.pack("!Ii", oid, -1) for oid in (_BOOL, _INT8, _FLOAT8, _TEXT)}
    tails = {
        bool: (b"", struct.Struct("!IiB"), none[_INT8] + none[_FLOAT8] + none[_TEXT] * 2, _BOOL, 1),
        int: (none[_BOOL], struct.Struct("!Iiq"), none[_FLOAT8] + none[_TEXT] * 2, _INT8, 8),
        float: (none[_BOOL] + none[_INT8], struct.Struct("!Iid"), none[_TEXT] * 2, _FLOAT8, 8),
    }
    length = struct.Struct("!i").pack

    def start(entity: bytes, scope: int, key: int, ts: int) -> bytes:
        if scoped:
            return fixed.pack(columns, _UUID, 16, entity, _INT2, 2, scope, _INT4, 4, key, _INT8, 8, ts)
        return fixed.pack(columns, _UUID, 16, entity, _INT4, 4, key, _INT8, 8, ts)

    def simple(kind: type) -> Callable[..., bytes]:
        before, value_struct, after, oid, size = tails[kind]
        pack = value_struct.pack

        def packer(entity: bytes, key: int, ts: int, value: Any, scope: int = 0) -> bytes:
            body = start(entity, scope, key, ts) + before + pack(oid, size, value) + after
            return length(len(body)) + body

        return packer

    def textual(json: bool) -> Callable[..., bytes]:
        before = none[_BOOL] + none[_INT8] + none[_FLOAT8] + (none[_TEXT] if json else b"")
        after = b"" if json else none[_TEXT]

        def packer(entity: bytes, key: int, ts: int, value: str, scope: int = 0) -> bytes:
            raw = value.encode()
            body = start(entity, scope, key, ts) + before + struct.pack("!Ii", _TEXT, len(raw)) + raw + after
            return length(len(body)) + body

        return packer

    return {bool: simple(bool), int: simple(int), float: simple(float), str: textual(False), Json: textual(True)}


COPY_ROW = _copy_packers()
RECORD = _record_packers(scoped=False)
ATTRIBUTE_RECORD = _record_packers(scoped=True)

_ARRAY_HEAD = struct.Struct("!iiIii").pack


def array(records: Sequence[bytes], element_oid: int) -> Packed:
    """An array of packed records (PostgreSQL's array_send format: one dimension, no nulls, lower bound 1)."""
    return Packed(_ARRAY_HEAD(1, 0, element_oid, len(records), 1) + b"".join(records))


def unpack(row: Sequence[Any]) -> Value:
    """The value of the five columns bool_v, long_v, dbl_v, str_v, json_v."""
    boolean, integer, double, text, json = row
    if boolean is not None:
        return bool(boolean)
    if integer is not None:
        return int(integer)
    if double is not None:
        return float(double)
    if text is not None:
        return str(text)
    return Json(json or "null")
