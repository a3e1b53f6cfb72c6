"""Java's units of time in configurations."""

import enum
from typing import Final


class TimeUnit(enum.StrEnum):
    """Their names."""

    NANOSECONDS = "NANOSECONDS"
    MICROSECONDS = "MICROSECONDS"
    MILLISECONDS = "MILLISECONDS"
    SECONDS = "SECONDS"
    MINUTES = "MINUTES"
    HOURS = "HOURS"
    DAYS = "DAYS"

    def ms(self, count: int) -> int:
        """So many of them in ms, as Java cuts it off."""
        length = abs(count) * _NANOSECONDS[self] // 1_000_000
        return length if count >= 0 else -length


_NANOSECONDS: Final = {
    TimeUnit.NANOSECONDS: 1,
    TimeUnit.MICROSECONDS: 1_000,
    TimeUnit.MILLISECONDS: 1_000_000,
    TimeUnit.SECONDS: 1_000_000_000,
    TimeUnit.MINUTES: 60_000_000_000,
    TimeUnit.HOURS: 3_600_000_000_000,
    TimeUnit.DAYS: 86_400_000_000_000,
}
