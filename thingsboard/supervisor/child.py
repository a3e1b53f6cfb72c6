"""One child that is kept alive: started, watched, restarted with back-off, stopped with all that it started itself."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from thingsboard.embedded.errors import EmbeddedError
from thingsboard.embedded.guardian import Guardian

from .output import Output
from .processes import Stage

FIRST_DELAY = 0.5  # seconds until the first restart; doubles with every further death
LONGEST_DELAY = 30.0
GOOD_LIFE = 60.0  # seconds after which earlier deaths are forgotten
LAST_WORDS_S = 1.0  # how long to wait for what it said last; somebody who left its group may hold the pipe for ever


class Child:
    """A program in its own session. Use from one thread that lives as long as we do: PR_SET_PDEATHSIG is per thread."""

    def __init__(
        self,
        name: str,
        argv: Callable[[], list[str]],
        *,
        stage: Stage,
        stop_signal: signal.Signals,
        environment: Mapping[str, str],
        directory: Path,
        guardian: Guardian,
        output: Output,
    ) -> None:
        """`argv` is asked before every start: it may prepare something, and raises EmbeddedError when it cannot."""
        self.name = name
        self.stage = stage
        self.stop_signal = stop_signal
        self.starts = 0
        self._argv = argv
        self._environment = dict(environment)
        self._directory = directory
        self._guardian = guardian
        self._output = output
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread | None = None
        self._started = 0.0
        self._delay = FIRST_DELAY
        self._next_start: float | None = None

    @property
    def pid(self) -> int | None:
        """The process id while it lives."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self) -> None:
        """Start it now. Raises EmbeddedError when it cannot be."""
        argv = self._argv()
        try:
            self._process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                cwd=self._directory, env=self._environment, start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            raise EmbeddedError(f"{argv[0]}: {error.strerror}.") from None
        self._guardian.watch(self._process.pid, self.stop_signal)
        if self._process.stdout:
            self._reader = self._output.follow(self.name, self._process.stdout)
        self._started = time.monotonic()
        self._next_start = None
        self.starts += 1

    def tick(self) -> None:
        """Notice a death, and start again when it is time. Call a few times a second."""
        now = time.monotonic()
        if self._next_start is not None:
            if now >= self._next_start:
                try:
                    self.start()
                except EmbeddedError as error:
                    self._plan_restart(f"cannot start: {error}")
            return
        if self._process is None or self._process.poll() is None:
            return
        self._clear_up()
        if now - self._started >= GOOD_LIFE:
            self._delay = FIRST_DELAY
        self._plan_restart(ending(self._process.returncode))

    def ask_to_stop(self) -> None:
        """Send the stop signal; no restart from now on."""
        self._next_start = None
        if self._process and self._process.poll() is None:
            self._process.send_signal(self.stop_signal)

    def ended(self) -> bool:
        """Whether it is gone; what it left behind goes with it."""
        if self._process is None:
            return True
        if self._process.poll() is None:
            return False
        self._clear_up()
        return True

    def kill(self) -> None:
        """End it and its descendants by force."""
        if self._process and self._process.poll() is None:
            _kill_group(self._process.pid)
            self._process.wait()
        self.ended()

    def _plan_restart(self, why: str) -> None:
        self._output.say(self.name, f"{why}; starting again in {self._delay:g} s")
        self._next_start = time.monotonic() + self._delay
        self._delay = min(self._delay * 2, LONGEST_DELAY)

    def _clear_up(self) -> None:
        """A worker's pool must not outlive it. (PostgreSQL's own processes have left the group: they end alone.)

        What it said last is repeated before anything is said of its end, and before we end ourselves.
        """
        if self._process:
            _kill_group(self._process.pid)
            self._guardian.forget(self._process.pid)
        if self._reader:
            self._reader.join(LAST_WORDS_S)
            self._reader = None


def ending(code: int) -> str:
    """A return code in words."""
    if code >= 0:
        return f"ended with code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"


def _kill_group(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except OSError:
        return
