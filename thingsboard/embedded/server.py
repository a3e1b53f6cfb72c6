"""What both embedded servers are to their owner: a command, a readiness question, an end; and a way to run one here."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from .account import LAUNCHER, Account
from .errors import EmbeddedError
from .guardian import Guardian

START_TIMEOUT = 120.0  # seconds; recovery after a crash replays up to max_wal_size
STOP_TIMEOUT = 60.0  # seconds


class Server(Protocol):
    """One embedded server of one data directory."""

    name: str
    stop_signal: signal.Signals

    def prepare(self, patience: float = 60.0) -> None:
        """Bring the files into order before a start; waits `patience` seconds for a dying predecessor."""

    def argv(self) -> list[str]:
        """The command that runs it in the foreground, our child, dying with us."""

    def is_ready(self) -> bool:
        """Whether it answers."""

    def settle(self) -> None:
        """What has to be there once it answers (users, databases)."""


def launched(program: list[str], account: Account, death_signal: signal.Signals) -> list[str]:
    """The command that becomes `program` through launch.py."""
    launcher = [sys.executable, "-I", "-S", str(LAUNCHER)]
    return [*launcher, str(os.getpid()), str(int(death_signal)), account.switch, *program]


def launched_as_self(program: list[str], death_signal: signal.Signals) -> list[str]:
    """The command that becomes `program`, without a change of user."""
    return launched(program, Account(os.geteuid(), os.getegid(), "-"), death_signal)


def minimal_environment() -> dict[str, str]:
    """The servers need none of our variables, and PGDATA, PGHOST and the like would only confuse them."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


@contextmanager
def running(server: Server, log: Path) -> Iterator[int]:
    """Run a server for the time of a `with` block (tests, tools); its output goes to `log`. Yields its process id.

    Start it from a thread that lives as long as the block: Linux counts the end of the starting thread as our death.
    Raises EmbeddedError with the log's last line when it does not come up.
    """
    server.prepare()
    guardian = Guardian()
    with log.open("ab") as output:
        process = subprocess.Popen(
            server.argv(), stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd="/",
            env=minimal_environment(), start_new_session=True,
        )  # fmt: skip
    try:
        guardian.watch(process.pid, server.stop_signal)
        _wait(server, process, log)
        server.settle()
        yield process.pid
    finally:
        stop(process, server.stop_signal)
        guardian.close()


def stop(process: subprocess.Popen[bytes], stop_signal: signal.Signals) -> None:
    """End a child gently, and after STOP_TIMEOUT by force."""
    if process.poll() is None:
        process.send_signal(stop_signal)
        try:
            process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def reason(output: str) -> str:
    """The line of a server's output that says why it ended: the last FATAL one, else the last."""
    lines = output.strip().splitlines() or ["it said nothing"]
    return next((line for line in reversed(lines) if "FATAL" in line), lines[-1])


def _wait(server: Server, process: subprocess.Popen[bytes], log: Path) -> None:
    """Until it answers."""
    deadline = time.monotonic() + START_TIMEOUT
    while not server.is_ready():
        if process.poll() is not None or time.monotonic() > deadline:
            raise EmbeddedError(f"{server.name} did not start: {reason(log.read_text(errors='replace'))}")
        time.sleep(0.02)
