"""Outlives its owner by a moment to clear up behind it. Runs as a script of its own, and is the handle to that script.

It reads from a pipe which process groups its owner has started. When the pipe ends without a farewell the owner was
killed: every group gets its signal and, if that does not help, SIGKILL. Linux signals direct children by itself
(launch.py); their children, and everything on macOS, are the guardian's.
"""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterable

PATIENCE = 5.0  # seconds between the signal and SIGKILL
DATABASE_PATIENCE = 120.0  # seconds: a fast shutdown writes out all dirty pages first


class Guardian:
    """The owner's end. Call from one thread."""

    def __init__(self) -> None:
        self._watched: dict[int, int] = {}
        self._process = self._start()

    def watch(self, group: int, death_signal: signal.Signals) -> None:
        """Have a process group ended by this signal should we die."""
        self._watched[group] = death_signal
        self._tell(f"+ {group} {int(death_signal)}\n")

    def forget(self, group: int) -> None:
        """The group has ended; its number may be given to others from now on."""
        if self._watched.pop(group, None) is not None:
            self._tell(f"- {group}\n")

    def close(self) -> None:
        """Dismiss the guardian: what still runs is left alone."""
        self._watched.clear()
        self._tell("farewell\n")
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait(PATIENCE)

    def _start(self) -> subprocess.Popen[bytes]:
        argv = [sys.executable, "-I", "-S", __file__]
        return subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True, bufsize=0
        )

    def _tell(self, line: str) -> None:
        for _ in range(2):
            try:
                assert self._process.stdin is not None  # noqa: S101 - asked for in _start
                self._process.stdin.write(line.encode())
            except BrokenPipeError:  # somebody killed the guardian: a new one learns everything
                self._process.wait()
                self._process = self._start()
                line = "".join(f"+ {group} {number}\n" for group, number in self._watched.items())
            else:
                return


def _alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _signal(groups: Iterable[int], number: int) -> None:
    for group in groups:
        try:
            os.killpg(group, number)
        except OSError:
            continue


def clear_up(watched: dict[int, int]) -> None:
    """End all groups: those of databases (SIGINT) get time to write out their pages."""
    for group, number in reversed(watched.items()):
        _signal([group], number)
    started = time.monotonic()
    while groups := [group for group in watched if _alive(group)]:
        waited = time.monotonic() - started
        patience = {group: DATABASE_PATIENCE if watched[group] == signal.SIGINT else PATIENCE for group in groups}
        _signal([group for group in groups if waited > patience[group]], signal.SIGKILL)
        if waited > DATABASE_PATIENCE + PATIENCE:
            return
        time.sleep(0.05)


def main() -> None:
    """Read what to watch until the pipe ends."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    watched: dict[int, int] = {}
    pending = b""
    while True:
        select.select([0], [], [])
        chunk = os.read(0, 65536)
        if not chunk:
            break
        *lines, pending = (pending + chunk).split(b"\n")
        for line in lines:
            match line.split():
                case [b"+", group, death_signal]:
                    watched[int(group)] = int(death_signal)
                case [b"-", group]:
                    watched.pop(int(group), None)
                case [b"farewell"]:
                    return
    clear_up(watched)


if __name__ == "__main__":
    main()
