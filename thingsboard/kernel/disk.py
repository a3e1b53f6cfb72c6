"""Is there room on the disk of the database? A database whose disk is full stops, and may not start again by itself.

So we stop before it: below TB_DISK_MIN_FREE bytes nothing more is written for devices and nothing is acknowledged, until
there is a tenth more than that. What is asked here is answered from a look at the disk that is at most a second old.
"""

import logging
import os
import threading
import time
from functools import cache
from pathlib import Path

from django.conf import settings

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
# Only with this much more than the threshold is it over: else it would begin and end with every checkpoint.
ENOUGH = 1.1
MIB = 1 << 20


class DiskWatch:
    """Watches the file system of `path` (None: nothing is watched, there is always room). Used by any thread."""

    def __init__(self, path: Path | None, min_free: int, look_seconds: float = LOOK_SECONDS) -> None:
        """`min_free` is in bytes; 0 switches the watch off."""
        self.path = path
        self.min_free = min_free
        self.look_seconds = look_seconds
        self.free: int | None = None  # bytes, as of the last look; None where nothing is known
        self.trouble = ""  # why it cannot be watched
        self._short = False
        self._next = float("-inf")
        self._lock = threading.Lock()

    def shortage(self) -> str | None:
        """None while there is room, else a sentence that says how much is missing; fit to be shown to anybody."""
        if self.path is None or not self.min_free:
            return None
        if time.monotonic() >= self._next:
            with self._lock:
                if time.monotonic() >= self._next:
                    self._look(self.path)
                    self._next = time.monotonic() + self.look_seconds
        return self._sentence() if self._short else None

    def _sentence(self) -> str:
        return (
            f"The disk of the database is nearly full: {(self.free or 0) / MIB:,.0f} MiB are free, "
            f"at least {self.min_free / MIB:,.0f} MiB must be."
        )

    def _look(self, path: Path) -> None:
        try:
            found = os.statvfs(path)
        except OSError as error:
            if not self.trouble:
                log.error(
                    "TB_DISK_PATH=%s cannot be watched (%s): a full disk will go unnoticed.", path, error.strerror
                )
            self.trouble, self.free, self._short = error.strerror or type(error).__name__, None, False
            return
        self.trouble = ""
        self.free = found.f_bavail * found.f_frsize
        short = self.free < self.min_free * (ENOUGH if self._short else 1)
        if short and not self._short:
            log.error("%s Nothing is stored or acknowledged until there is room (%s).", self._sentence(), path)
        elif self._short and not short:
            log.warning("There is room on the disk of the database again (%s): devices are served.", path)
        self._short = short


@cache
def watch() -> DiskWatch:
    """The process' watch over the database's disk, as the settings say."""
    return DiskWatch(settings.TB_DISK_PATH, settings.TB_DISK_MIN_FREE)
