"""The owner's end of a jailed process: its start, its end and the frames in between."""

import fcntl
import importlib.util
import json
import logging
import os
import select
import struct
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

log = logging.getLogger(__name__)

CHILD = Path(__file__).with_name("child.py")
FRAME = struct.Struct("<IBQIH16s")  # as in child.py: bytes that follow, kind, question, calls, chunk, program
CALL, DEFINE = 1, 2
HELLO, ANSWERS, LAST, UNKNOWN, DEFINED, BROKEN = 1, 2, 3, 4, 5, 6

MOST_FRAME: Final = 8 << 20  # bytes of calls in a frame
KEPT_BYTES: Final = 1 << 20  # of a script that is kept ready, if it keeps nothing itself
SPARE_ADDRESS_SPACE: Final = 512 << 20  # what a process has besides; most of it is never touched
CPU_S: Final = 24 * 3600  # of a processor, after which a process ends and another one is begun
PATIENCE_S: Final = 10.0
PIPE_BYTES: Final = 1 << 20
_F_SETPIPE_SZ: Final = 1031

_told: set[str] = set()


@dataclass(frozen=True, slots=True)
class Limits:
    """What a script may use: CPU time of a call (ms), memory (bytes), the longest result (characters of JSON). How many scripts
    are kept ready. For how long (s) one is off that ran out of time `jail.STRIKES` times.
    """

    timeout_ms: int = 1000
    memory_bytes: int = 16 << 20
    longest_result: int = 1 << 20
    scripts: int = 128
    off_s: float = 60.0


class Unavailable(RuntimeError):
    """Scripts cannot be run here at all, and why."""


class Died(Exception):
    """The process ended, or has to."""


class Process:
    """A process that runs. Any method raises Died, after which it is to be closed."""

    def __init__(self, limits: Limits) -> None:
        """Begin one: about 50 ms. Raises Unavailable."""
        self.owner = os.getpid()
        # A processor that is shared gives CPU time slowly; only what stands still must not be waited for.
        self._patience_s = PATIENCE_S + 30 * limits.timeout_ms / 1000
        self._most_answers = 4 * limits.longest_result + (8 << 20)
        self._buffer = bytearray()
        self._question = 0
        self._popen = _starter(self.owner).submit(_popen, limits, self.owner).result()
        assert self._popen.stdin is not None and self._popen.stdout is not None  # noqa: S101 - asked for above
        self._in, self._out = self._popen.stdin.fileno(), self._popen.stdout.fileno()
        self._poll = select.poll()
        self._poll.register(self._out, select.POLLIN)
        self.missing = self._greeted()

    @property
    def pid(self) -> int:
        """Its number."""
        return self._popen.pid

    def send(self, kind: int, digest: bytes, payload: bytes, count: int = 0, chunk: int = 0) -> None:
        """A question. The process reads all of it before it answers, so this never waits for long."""
        self._question += 1
        view = memoryview(FRAME.pack(len(payload), kind, self._question, count, chunk, digest) + payload)
        try:
            while view:
                view = view[os.write(self._in, view) :]
        except OSError:
            raise Died from None

    def receive(self) -> tuple[int, int, bytes]:
        """The next frame that answers the last question: kind, number of answers, payload."""
        size, kind, question, count, _, _ = FRAME.unpack(self._read(FRAME.size))
        if size > self._most_answers or question != self._question:
            raise Died
        return kind, count, self._read(size)

    def define(self, digest: bytes, definition: bytes) -> str:
        """Make a program known; why it is none, else ""."""
        self.send(DEFINE, digest, definition)
        kind, _, payload = self.receive()
        if kind not in (DEFINED, BROKEN):
            raise Died
        return payload.decode("utf-8", "replace") if kind == BROKEN else ""

    def close(self) -> None:
        """End it at once: it holds nothing that could be lost."""
        self._popen.kill()
        for pipe in (self._popen.stdin, self._popen.stdout):
            if pipe is not None:
                pipe.close()
        self._popen.wait()

    def _read(self, size: int) -> bytes:
        buffer = self._buffer
        until = time.monotonic() + self._patience_s
        while len(buffer) < size:
            left = until - time.monotonic()
            if left <= 0 or not self._poll.poll(left * 1000):
                raise Died
            part = os.read(self._out, PIPE_BYTES)
            if not part:
                raise Died
            buffer += part
        found = bytes(buffer[:size])
        del buffer[:size]
        return found

    def _greeted(self) -> tuple[str, ...]:
        """What the system did not permit; logged once."""
        try:
            if sys.platform == "linux":
                for pipe in (self._in, self._out):
                    try:
                        fcntl.fcntl(pipe, _F_SETPIPE_SZ, PIPE_BYTES)
                    except OSError:
                        pass  # too many pipes of this user: the usual size serves, more slowly
            kind, _, payload = self.receive()
        except Died:
            self.close()
            raise Unavailable("The process that runs scripts ended while it started.") from None
        missing = tuple(json.loads(payload)) if kind == HELLO else ("its greeting",)
        if missing and not _told.issuperset(missing):
            _told.update(missing)
            log.warning("Scripts run without %s, which this system does not permit.", ", ".join(missing))
        return missing


@cache
def _starter(owner: int) -> ThreadPoolExecutor:
    """The thread that begins processes, of the process `owner`: Linux ends them with the thread that began them, and a thread
    that asks for a script may be gone the next moment.
    """
    return ThreadPoolExecutor(1, f"scripts of {owner}")


def _popen(limits: Limits, owner: int) -> subprocess.Popen[bytes]:
    arguments = [str(owner), _extension(), json.dumps(_settings(limits))]
    try:
        return subprocess.Popen(
            [sys.executable, "-I", "-S", str(CHILD), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env={"TZ": "UTC0"},
            start_new_session=True,
        )
    except OSError as error:
        raise Unavailable(f"The process that runs scripts cannot be started: {error.strerror}") from None


def _settings(limits: Limits) -> dict[str, int]:
    return {
        "limit_ms": limits.timeout_ms,
        "memory_bytes": limits.memory_bytes,
        "longest_result": limits.longest_result,
        "scripts": limits.scripts,
        "address_space": limits.memory_bytes + limits.scripts * KEPT_BYTES + SPARE_ADDRESS_SPACE,
        "cpu_s": CPU_S,
    }


def _extension() -> str:
    """Where the extension of QuickJS lies; it is never loaded here."""
    spec = importlib.util.find_spec("_quickjs")
    if spec is None or spec.origin is None:
        raise Unavailable("Scripts cannot be run: the package quickjs-ng is not installed.")
    return spec.origin
