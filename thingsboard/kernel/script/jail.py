"""Runs scripts in a process that can do nothing else. See child.py for the other end."""

import logging
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from typing import Final, NamedTuple

import orjson

from .process import ANSWERS, CALL, LAST, MOST_FRAME, UNKNOWN, Died, Limits, Process
from .program import Answer, Program

log = logging.getLogger(__name__)

CALLS_A_FRAME: Final = 512
CHUNK: Final = 64  # calls that run between two looks at the clock
STRIKES: Final = 3
STRIKES_WITHIN_S: Final = 60.0
MOST_KNOWN: Final = 1024  # scripts with strikes

TRUE, FALSE = Answer(b"true"), Answer(b"false")
_USUAL = {b"=true": TRUE, b"=false": FALSE}
_ENDED = "The script ended its process: it ran for too long inside of one operation, or needed too much memory."


class _Strikes(NamedTuple):
    """When a script ran out of time (monotonic seconds), and until when it is off."""

    times: tuple[float, ...] = ()
    off_until: float = 0.0


class Jail:
    """A jailed process, begun with the first call and begun again when it died. For any number of threads: their calls wait
    for each other. `idle_s`: it ends when it was not used for so long; None: with `close` or its owner.
    """

    def __init__(self, limits: Limits, *, idle_s: float | None = None) -> None:
        self.limits = limits
        self.started = 0  # processes that were begun
        self._idle_s = idle_s
        self._lock = threading.Lock()
        self._process: Process | None = None
        self._timer: threading.Timer | None = None
        self._used = 0.0
        self._strikes: OrderedDict[tuple[bytes, bytes], _Strikes] = OrderedDict()

    def call(self, program: Program, calls: Sequence[bytes], owner: bytes = b"") -> Sequence[Answer]:
        """The answers of calls, in their order. Each call is the JSON text of the array of its arguments, in UTF-8; text that
        is not JSON fails its own call. `owner`: on whose behalf; a script is switched off for each by itself. Raises nothing
        for what a script does; ValueError for TBEL that is none, and Unavailable where no process can be begun.
        """
        if not calls:
            return []
        compiled = program.compiled()
        definition = "\0".join((compiled.prelude, ",".join(program.args), compiled.body))
        with self._lock:
            try:
                return _Batch(self, program, definition.encode("utf-8", "replace"), calls, owner).answers()
            finally:
                self._rest_later()

    @property
    def pid(self) -> int | None:
        """The process that runs now."""
        process = self._process
        return None if process is None else process.pid

    def close(self) -> None:
        """End the process; a later call begins another one."""
        with self._lock:
            self._end()

    # What the batch in work asks for: the lock is held.

    def process(self) -> Process:
        """The present one, or a new one. Raises Unavailable."""
        if self._process is not None and self._process.owner != os.getpid():
            self._process = None  # we are a fork: it is our parent's
        if self._process is None:
            self._process = Process(self.limits)
            self.started += 1
        return self._process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None and process.owner == os.getpid():
            process.close()

    def died(self) -> None:
        """It did, or has to."""
        self._end()

    def off_for(self, program: Program, owner: bytes) -> float:
        """For how many seconds more a script is switched off."""
        known = self._strikes.get((owner, program.digest))
        return 0.0 if known is None else known.off_until - time.monotonic()

    def strike(self, program: Program, owner: bytes) -> None:
        """A script ran out of time."""
        now, key = time.monotonic(), (owner, program.digest)
        known = self._strikes.pop(key, _Strikes())
        times = (*[each for each in known.times if now - each < STRIKES_WITHIN_S], now)
        if len(times) >= STRIKES:
            log.warning(
                "A script ran out of time %s times and is off for %g s: %r", len(times), self.limits.off_s, program
            )
            self._strikes[key] = _Strikes((), now + self.limits.off_s)
        else:
            self._strikes[key] = _Strikes(times, known.off_until)
        while len(self._strikes) > MOST_KNOWN:
            self._strikes.popitem(last=False)

    def _rest_later(self) -> None:
        if self._idle_s is None:
            return
        self._used = time.monotonic()
        if self._timer is None or not self._timer.is_alive():
            self._timer = self._new_timer(self._idle_s)

    def _new_timer(self, seconds: float) -> threading.Timer:
        timer = threading.Timer(seconds, self._rest)
        timer.daemon = True
        timer.start()
        return timer

    def _rest(self) -> None:
        with self._lock:
            left = self._used + (self._idle_s or 0.0) - time.monotonic()
            self._timer = self._new_timer(left) if left > 0 else None
            if self._timer is None:
                self._end()


class _Batch:
    """The calls of one `Jail.call`."""

    def __init__(self, jail: Jail, program: Program, definition: bytes, calls: Sequence[bytes], owner: bytes) -> None:
        self._jail, self._program, self._definition, self._calls, self._owner = jail, program, definition, calls, owner
        self._found: list[Answer] = []

    def answers(self) -> list[Answer]:
        """Of all calls."""
        found, total = self._found, len(self._calls)
        careful = 0  # so many calls, of which one ended the process, go one by one
        while len(found) < total:
            off = self._jail.off_for(self._program, self._owner)
            if off > 0:
                error = f"The script ran out of time {STRIKES} times and is switched off for {off:.0f} s more."
                found += [Answer(b"", error)] * (total - len(found))
                break
            try:
                careful -= self._frame(1 if careful > 0 else CHUNK)
            except Died:
                self._jail.died()
                if careful > 0:
                    found.append(Answer(b"", _ENDED))
                    self._jail.strike(self._program, self._owner)
                    careful -= 1
                else:
                    careful = CHUNK
        return found

    def _frame(self, chunk: int) -> int:
        """The answers of some more calls; how many. Raises Died, with those before the culprit among the answers."""
        start = len(self._found)
        calls = self._next(start, 1 if chunk == 1 else CALLS_A_FRAME)
        if not calls:
            self._found.append(Answer(b"", "The message is too large or not valid JSON."))
            return 1
        process = self._jail.process()
        process.send(CALL, self._program.digest, b"\0".join(calls), len(calls), chunk)
        while True:
            kind, count, payload = process.receive()
            if kind == UNKNOWN:
                why = process.define(self._program.digest, self._definition)
                if why:
                    self._found += [Answer(b"", why)] * (len(self._calls) - start)
                    break
                process.send(CALL, self._program.digest, b"\0".join(calls), len(calls), chunk)
                continue
            if kind not in (ANSWERS, LAST) or not 0 < count <= start + len(calls) - len(self._found):
                raise Died
            self._take(payload.split(b"\n"), count)
            if kind == LAST:
                break  # of a call that ran out of time, or of all
        return len(self._found) - start

    def _next(self, start: int, most: int) -> list[bytes]:
        """The calls of the next frame; none where the first one cannot be sent."""
        calls = list(self._calls[start : start + most])
        if sum(map(len, calls)) + len(calls) > MOST_FRAME or any(b"\0" in call for call in calls):
            size, fitting = 0, 0
            for call in calls:
                size += len(call) + 1
                if size > MOST_FRAME or b"\0" in call:
                    break
                fitting += 1
            del calls[fitting:]
        return calls

    def _take(self, lines: list[bytes], count: int) -> None:
        if len(lines) != count:
            raise Died
        usual = _USUAL
        self._found += [usual.get(line) or self._answer(line) for line in lines]

    def _answer(self, line: bytes) -> Answer:
        if line[:1] == b"=":
            return Answer(line[1:])
        if line[:1] == b"T":
            self._jail.strike(self._program, self._owner)
        try:
            return Answer(b"", str(orjson.loads(line[1:])))
        except ValueError:
            return Answer(b"", "The script failed.")
