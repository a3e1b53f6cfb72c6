"""Milliseconds since 1970, and a clock that tests can move."""

import time
from collections.abc import Callable

_source: Callable[[], float] = time.time


def now_ms() -> int:
    """The present in milliseconds since 1970 (UTC)."""
    return int(_source() * 1000)


def set_source(source: Callable[[], float] | None) -> None:
    """Replace where the time comes from (seconds since 1970), or put the real clock back with None. For tests."""
    global _source
    _source = source or time.time
