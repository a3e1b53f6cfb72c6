"""The children's lines on our own output, each with the name of who said it."""

import sys
import threading
from typing import IO, TextIO

LONGEST_LINE = 8192  # bytes; a longer one is cut into several


class Output:
    """Writes whole lines from many threads. When nobody reads any more, lines are dropped and the children live on."""

    def __init__(self, stream: TextIO | None = None, width: int = 8) -> None:
        self._stream = stream or sys.stdout
        self._width = width
        self._lock = threading.Lock()

    def say(self, name: str, line: str) -> None:
        """One line of one speaker."""
        self.write(f"{name:<{self._width}} | {line}\n")

    def write(self, text: str) -> None:
        """Text as it is."""
        with self._lock:
            try:
                self._stream.write(text)
                self._stream.flush()
            except (OSError, ValueError):
                return

    def follow(self, name: str, pipe: IO[bytes]) -> threading.Thread:
        """Repeat everything that comes out of a pipe until it ends."""
        thread = threading.Thread(target=self._follow, args=(name, pipe), daemon=True, name=f"output of {name}")
        thread.start()
        return thread

    def _follow(self, name: str, pipe: IO[bytes]) -> None:
        with pipe:
            while line := pipe.readline(LONGEST_LINE):
                self.say(name, line.decode(errors="replace").rstrip())
