"""Proof that a process of this machine is dead: the kernel lets go of the lock on its file, whatever killed it.

Others need not wait for the end of its lease then. A process on another machine, or with another TB_DATA_DIR, has no such
proof; neither has one that is frozen, and rightly so.
"""

import fcntl
import os
import platform
import time
import uuid
from contextlib import suppress
from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_SUFFIX = ".alive"
_KEEP_SECONDS = 3600


def _machine() -> bytes:
    """What locks can be believed: those of this kernel, since it started."""
    try:
        return _BOOT_ID.read_bytes().strip()
    except OSError:
        return platform.node().encode()


class LifeSign:
    """A locked file for as long as this process lives."""

    def __init__(self, directory: Path, node: uuid.UUID) -> None:
        """Raises OSError when the directory cannot be written."""
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path = directory / f"{node}{_SUFFIX}"
        draft = self._path.with_suffix(".new")
        self._file = os.open(draft, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX)
        os.write(self._file, _machine())
        draft.rename(self._path)  # only now can others see it: locked

    def close(self) -> None:
        """The node ends in order: nobody needs a proof."""
        with suppress(FileNotFoundError):
            self._path.unlink()
        os.close(self._file)


def is_dead(directory: Path, node: uuid.UUID) -> bool:
    """Whether this node's process has certainly ended; False when it lives, or when that cannot be known here."""
    try:
        file = os.open(directory / f"{node}{_SUFFIX}", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        if os.read(file, 256) != _machine():
            return False
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    else:
        return True
    finally:
        os.close(file)


def tidy(directory: Path) -> None:
    """Remove what the dead left an hour ago and earlier."""
    for path in directory.glob(f"*{_SUFFIX}"):
        with suppress(OSError, ValueError):
            if time.time() - path.stat().st_mtime > _KEEP_SECONDS and is_dead(directory, uuid.UUID(path.stem)):
                path.unlink()
