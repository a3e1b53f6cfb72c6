"""A bound for the lines that log nodes write."""

import time

LINES_A_SECOND = 50
MOST_SAVED = 200


class LogBudget:
    """Lets so many lines through; what is left out is nobody's loss but the log's."""

    def __init__(self) -> None:
        self._left = float(MOST_SAVED)
        self._at = time.monotonic()

    def take(self) -> bool:
        """Whether one more line may be written."""
        now = time.monotonic()
        self._left = min(MOST_SAVED, self._left + (now - self._at) * LINES_A_SECOND)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
