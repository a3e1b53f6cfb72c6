"""The jailed process: reads programs and calls from standard input, answers on standard output, until its input ends.

    python -I -S child.py <owner's pid> <path of the QuickJS extension> <limits as JSON>

Runs alone: it imports the standard library and the extension, nothing else, gives up all rights and only then reads the first
program. Frames both ways: FRAME, then so many bytes. See jail.py, the other end.
"""

import gc
import importlib
import importlib.machinery
import importlib.util
import json
import os
import re
import signal
import struct
import sys
from collections import OrderedDict
from pathlib import Path
from typing import Any

# Bytes that follow, kind, number of the question (answers repeat it), calls or answers in it, how many calls run between two
# looks at the clock, program.
FRAME = struct.Struct("<IBQIH16s")
CALL, DEFINE = 1, 2
HELLO, ANSWERS, LAST, UNKNOWN, DEFINED, BROKEN = 1, 2, 3, 4, 5, 6

TIMED_OUT = "The script ran longer than {limit_ms} ms."
NO_MEMORY = "The script needs more than {memory_bytes} bytes of memory."
FIRST_LINE = 200_000  # of what is the platform's: lines below that are the script's own
STACK_BYTES = 512 * 1024
OUTPUT = 1 << 20  # characters of answers after which they are handed over


class Failed(Exception):
    """A program that cannot be run, and why."""


class Script:
    """A program in a context of its own, which is a QuickJS runtime of its own: it shares nothing with other scripts."""

    def __init__(self, quickjs: Any, driver: str, limits: dict[str, Any], definition: list[str]) -> None:
        """`definition`: prelude, names of arguments, body. Raises Failed where it does not parse."""
        prelude, args, body = definition
        seconds = limits["limit_ms"] / 1000
        context = quickjs.Context()
        context.set_memory_limit(limits["memory_bytes"])
        context.set_max_stack_size(STACK_BYTES)
        context.set_time_limit(max(seconds, 1.0))
        prepare = context.eval(FIRST_LINE * "\n" + driver)
        prepare("forbid")
        if prelude:
            context.eval(FIRST_LINE * "\n" + prelude)
        names = prepare("names").split(",")
        context.eval("const globalThis = this, " + ", ".join(f"{name} = this.{name}" for name in names) + ";")
        prepare("freeze")
        function = f"({args}) {{{body}\n}}"
        try:
            # A body that closes its function and goes on outside of it does not parse in both forms.
            context.eval(f"(() => {{ ({{ f{function} }}) }})")
            script = context.eval(f"(function {function})")
        except quickjs.JSException as error:
            raise Failed(sentence(error)) from None
        context.set_time_limit(seconds)
        self._run = prepare("run", script, limits["longest_result"], OUTPUT)
        self._context = context  # its end is that of the functions

    def run(self, calls: list[str]) -> str:
        """The answers, a line each, of the first of the calls. Raises JSException where they were interrupted."""
        answers: str = self._run(*calls)
        return answers

    def rest(self) -> str:
        """The answers that were ready when `run` was interrupted."""
        answers: str = self._run()
        return answers


def sentence(error: Exception) -> str:
    """What QuickJS says, and the line of the script if it says that."""
    said = str(error)
    line = re.search(r"<input>:(\d+)", said)
    first = said.split("\n")[0][:400]
    return f"{first} (line {line[1]})" if line else first


class Jail:
    """What the process knows: programs by digest, those that were used last."""

    def __init__(self, quickjs: Any, driver: str, limits: dict[str, Any]) -> None:
        self._quickjs, self._driver, self._limits = quickjs, driver, limits
        self._definitions: OrderedDict[bytes, list[str]] = OrderedDict()
        self._scripts: OrderedDict[bytes, Script] = OrderedDict()
        self._preludes: dict[int, str] = {}
        self._question = 0

    def serve(self) -> None:
        """Until the input ends."""
        while True:
            size, kind, self._question, _, chunk, digest = FRAME.unpack(receive(FRAME.size))
            payload = receive(size)
            if kind == DEFINE:
                self._define(digest, payload.decode("utf-8", "replace").split("\0"))
            elif digest not in self._definitions:
                self._send(UNKNOWN)
            else:
                self._answer(digest, payload.decode("utf-8", "replace").split("\0"), chunk)

    def _define(self, digest: bytes, definition: list[str]) -> None:
        prelude = definition[0]
        definition[0] = self._preludes.setdefault(hash(prelude), prelude)  # that of TBEL is long, and the same for all
        self._definitions[digest] = definition
        try:
            self._script(digest)
        except Failed as error:
            del self._definitions[digest]
            self._send(BROKEN, str(error))
        else:
            while len(self._definitions) > self._limits["scripts"]:
                oldest, _ = self._definitions.popitem(last=False)
                self._scripts.pop(oldest, None)
            self._send(DEFINED)
        signal.setitimer(signal.ITIMER_PROF, 0)

    def _script(self, digest: bytes) -> Script:
        """Raises Failed."""
        self._definitions.move_to_end(digest)
        script = self._scripts.get(digest)
        if script is None:
            self._watch(2.0)
            try:
                script = self._made(digest)
            except MemoryError:
                self._scripts.clear()  # all together need more than there is
                script = self._made(digest)
            self._scripts[digest] = script
            self._watch()
        return script

    def _made(self, digest: bytes) -> Script:
        try:
            return Script(self._quickjs, self._driver, self._limits, self._definitions[digest])
        except self._quickjs.JSException as error:
            if "out of memory" in str(error):
                raise MemoryError from None
            raise Failed(sentence(error)) from None

    def _watch(self, least: float = 0.1) -> None:
        """What QuickJS cannot interrupt ends the process: the owner starts another one, and finds the culprit."""
        signal.setitimer(signal.ITIMER_PROF, max(2 * self._limits["limit_ms"] / 1000, least))

    def _answer(self, digest: bytes, calls: list[str], chunk: int) -> None:
        """Answer all calls, so many at a time. Where a run ends early, the next one begins with the call that ended it: who is
        the first one and ends its run is the culprit.
        """
        at = 0
        while at < len(calls):
            self._watch()
            lines, end = self._run(digest, calls[at : at + max(chunk, 1)])
            if not lines and end is not None:
                lines = [end]
            at += len(lines)
            # Behind a call that ran out of time the owner decides whether it goes on.
            last = at == len(calls) or (end is not None and end[0] == "T" and lines[-1:] == [end])
            if lines:
                self._send(LAST if last else ANSWERS, "\n".join(lines), len(lines))
            if last:
                break
        signal.setitimer(signal.ITIMER_PROF, 0)

    def _run(self, digest: bytes, calls: list[str]) -> tuple[list[str], str | None]:
        """The answers of the first calls, and what to say of the one behind them where it ended the run."""
        fresh = digest not in self._scripts
        try:
            script = self._script(digest)
        except Failed as error:
            return [], "!" + json.dumps(str(error))
        except MemoryError:
            return [], "!" + json.dumps("There is no memory left for scripts.")
        end = None
        try:
            said = script.run(calls)
        except self._quickjs.JSException as error:
            timed_out = "interrupted" in str(error)
            end = "T" + json.dumps(TIMED_OUT.format(**self._limits)) if timed_out else self._no_memory()
            try:
                said = script.rest()
            except self._quickjs.JSException:
                said = ""
        lines = said.split("\n") if said else []
        if lines and lines[-1][0] == "M":  # nothing in that context is to be trusted any more
            said = json.loads(lines.pop()[1:])
            end = "!" + json.dumps(said) if said else self._no_memory()
        if end is not None and end[0] == "!":
            self._scripts.clear()
            # Perhaps it was what others had left: once more, in a context of its own.
            if not lines and not fresh:
                return self._run(digest, calls[:1])
        if lines and lines[-1] == "~":
            lines.pop()
            self._scripts.pop(digest, None)
        if end is not None:
            self._scripts.pop(digest, None)
        return lines, end

    def _send(self, kind: int, text: str = "", count: int = 0) -> None:
        send(kind, text, count, self._question)

    def _no_memory(self) -> str:
        return "!" + json.dumps(NO_MEMORY.format(**self._limits))


def receive(size: int) -> bytes:
    """So many bytes of the input; the process ends with it."""
    parts = []
    while size:
        part = os.read(0, min(size, 1 << 20))
        if not part:
            os._exit(0)
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def send(kind: int, text: str = "", count: int = 0, question: int = 0) -> None:
    """A frame to the owner."""
    payload = text.encode("utf-8", "replace")
    view = memoryview(FRAME.pack(len(payload), kind, question, count, 0, bytes(16)) + payload)
    while view:
        view = view[os.write(1, view) :]


def load(path: str) -> Any:
    """The extension alone, without the Python package around it, which would import much more."""
    loader = importlib.machinery.ExtensionFileLoader("_quickjs", path)
    spec = importlib.util.spec_from_file_location("_quickjs", path, loader=loader)
    if spec is None:
        sys.exit("the QuickJS extension cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def main() -> None:
    """Load what is needed, give up everything else, serve."""
    owner, path, raw = sys.argv[1:]
    limits = json.loads(raw)
    here = Path(__file__).parent
    sys.path.insert(0, str(here))
    confine = importlib.import_module("confine")
    quickjs = load(path)
    driver = (here / "driver.js").read_text()
    quickjs.Context().eval("new Date(0).getHours()")  # reads what it needs to know of time zones
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # of a whole group: the owner ends us when it has no more use for us
    gc.disable()
    missing = confine.confine(int(owner), limits["address_space"], limits["cpu_s"])
    send(HELLO, json.dumps(missing))
    Jail(quickjs, driver, limits).serve()


if __name__ == "__main__":
    main()
