"""JSON as bytes, whatever the database made of its numbers."""

from collections.abc import Callable
from typing import Any

import orjson

_SMALLEST, _LARGEST = -(2**63), 2**64 - 1  # what orjson writes as a whole number


def json_bytes(value: Any, default: Callable[[Any], Any] | None = None) -> bytes:
    """`value` by orjson. A larger whole number, as which PostgreSQL gives 1e30 back, is written as the float that it was."""
    try:
        return orjson.dumps(value, default=default)
    except TypeError:
        return orjson.dumps(_with_floats(value), default=default)


def _with_floats(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _with_floats(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_with_floats(item) for item in value]
    if isinstance(value, int) and not _SMALLEST <= value <= _LARGEST:
        return float(value)
    return value
