"""Times as people read them."""

from datetime import UTC, datetime
from typing import Any


def readable(value: Any) -> str:
    """A time stamp (ms) as a date in UTC; anything else, and what no calendar holds, as it is."""
    if isinstance(value, bool) or not isinstance(value, int):
        return str(value)
    try:
        return f"{datetime.fromtimestamp(value / 1000, UTC):%Y-%m-%d %H:%M:%S}"
    except (ValueError, OverflowError, OSError):
        return str(value)
