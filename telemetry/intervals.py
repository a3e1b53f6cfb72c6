"""The intervals of an aggregation: of equal length, or of the calendar (compat/websocket.md 5.2).

Both begin at `start`, not at a round hour or a Monday: the first calendar interval is what is left of its week or month.
The last one ends at `end`.
"""

import enum
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

# What java.time.ZoneId reads beside the names of the tz database: Z, +2, +02:00, UTC+2, GMT-03:30.
_OFFSET = re.compile(r"(?:UTC|GMT|UT)?([+-])([0-9]{1,2})(?::?([0-5][0-9]))?", re.ASCII)
_MOST_HOURS = 18


class IntervalType(enum.StrEnum):
    """How an interval is measured: in milliseconds, or by the calendar of a time zone."""

    MILLISECONDS = "MILLISECONDS"
    WEEK = "WEEK"  # begins on Sunday
    WEEK_ISO = "WEEK_ISO"  # begins on Monday
    MONTH = "MONTH"
    QUARTER = "QUARTER"


def zone(name: str) -> tzinfo:
    """The time zone of a name of the tz database or of an offset. Raises ValueError with a sentence."""
    if name in {"", "Z", "UTC", "GMT"}:
        return UTC
    offset = _OFFSET.fullmatch(name)
    if offset is not None:
        sign, hours, minutes = offset.groups()
        length = timedelta(hours=int(hours), minutes=int(minutes or 0))
        if length <= timedelta(hours=_MOST_HOURS):
            return timezone(-length if sign == "-" else length)
    else:
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            pass
    raise ValueError(
        f"Unknown time zone '{name[:40]}'; expected a name such as Europe/Kyiv, or an offset such as +02:00"
    )


def calendar_borders(kind: IntervalType, start: int, end: int, where: tzinfo) -> Iterator[int]:
    """Where calendar intervals begin and the last one ends, in ms: `start`, each local midnight that begins one, `end`.

    A midnight that a clock change skips is the moment after the gap; of one that occurs twice it is the first.
    Expects 0 <= start < end before the year 9999.
    """
    yield start
    day = _first_day(kind, datetime.fromtimestamp(start / 1000, where).date())
    while True:
        day = _next(kind, day)
        border = int(datetime(day.year, day.month, day.day, tzinfo=where).timestamp() * 1000)
        if border >= end:
            break
        yield border
    yield end


def _first_day(kind: IntervalType, day: date) -> date:
    """The first day of the interval in which a day lies."""
    match kind:
        case IntervalType.WEEK:
            return day - timedelta(days=day.isoweekday() % 7)
        case IntervalType.WEEK_ISO:
            return day - timedelta(days=day.weekday())
        case IntervalType.MONTH:
            return day.replace(day=1)
        case _:
            return day.replace(month=day.month - (day.month - 1) % 3, day=1)


def _next(kind: IntervalType, day: date) -> date:
    """The first day of the following interval."""
    if kind in {IntervalType.WEEK, IntervalType.WEEK_ISO}:
        return day + timedelta(days=7)
    month = day.month + (1 if kind is IntervalType.MONTH else 3)
    return day.replace(year=day.year + (month > 12), month=(month - 1) % 12 + 1)
