"""The supervisor: servers up, database prepared, processes kept alive, everything down again in order."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FrameType

from thingsboard.embedded.errors import EmbeddedError
from thingsboard.embedded.guardian import Guardian
from thingsboard.embedded.server import START_TIMEOUT, Server, launched_as_self, minimal_environment

from .child import Child, ending
from .output import Output
from .processes import Process, Stage, runnable

TICK = 0.05  # seconds
SERVER_RESTART_PATIENCE = 2.0  # seconds; the other children must not wait longer for our attention
STOP_PATIENCE = {Stage.DOORS: 15.0, Stage.WORKERS: 15.0, Stage.SERVERS: 120.0}  # seconds until SIGKILL


class Supervisor:
    """Runs until it is told to stop. Every child is started from the thread that calls `run`."""

    def __init__(
        self,
        *,
        servers: Sequence[Server],
        setup: Sequence[tuple[str, ...]],
        processes: Sequence[Process],
        directory: Path,
        environment: Mapping[str, str],
        output: Output,
        watch: Callable[[threading.Event], None] | None = None,
    ) -> None:
        """`setup` are commands that run once, in order, when the servers answer; `watch` runs in a thread beside."""
        self._servers = servers
        self._setup = setup
        self._processes = processes
        self._directory = directory
        self._environment = environment
        self._output = output
        self._watch = watch
        self._guardian = Guardian()
        self._stopping = threading.Event()
        self._hurry = False
        self._children: list[Child] = []

    @property
    def children(self) -> Sequence[Child]:
        """What is kept alive, in the order of the start."""
        return self._children

    def stop(self, number: int = signal.SIGTERM, _frame: FrameType | None = None) -> None:
        """Begin the end (a signal handler); asked a second time, without patience."""
        if self._stopping.is_set():
            self._hurry = True
        self._stopping.set()

    def run(self) -> int:
        """Everything, until `stop`. The exit code: 0, or 1 when the start failed (its reason has been said)."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self.stop)
        code = 0
        try:
            self._start()
            while not self._stopping.wait(TICK):
                for child in self._children:
                    child.tick()
        except EmbeddedError as error:
            self._output.say("up", str(error))
            code = 1
        finally:
            self._stopping.set()
            self._stop_all()
            self._guardian.close()
        return code

    def _start(self) -> None:
        for server in self._servers:
            server.prepare()
            self._add_server(server).start()
        for server in self._servers:
            self._await_server(server)
        for command in self._setup:
            self._run_once(command)
        if self._stopping.is_set():
            return
        for process in self._processes:
            self._add_process(process).start()
        if self._watch:
            threading.Thread(target=self._watch, args=(self._stopping,), daemon=True, name="watch").start()

    def _add_server(self, server: Server) -> Child:
        def argv() -> list[str]:
            server.prepare(SERVER_RESTART_PATIENCE)
            return server.argv()

        return self._add(server.name, argv, Stage.SERVERS, server.stop_signal, minimal_environment(), Path("/"))

    def _add_process(self, process: Process) -> Child:
        argv = launched_as_self(runnable(process.command, sys.executable), process.stop_signal)
        return self._add(
            process.name, lambda: argv, process.stage, process.stop_signal, self._environment, self._directory
        )

    def _add(
        self,
        name: str,
        argv: Callable[[], list[str]],
        stage: Stage,
        stop_signal: signal.Signals,
        environment: Mapping[str, str],
        directory: Path,
    ) -> Child:
        child = Child(
            name, argv, stage=stage, stop_signal=stop_signal, environment=environment, directory=directory,
            guardian=self._guardian, output=self._output,
        )  # fmt: skip
        self._children.append(child)
        return child

    def _await_server(self, server: Server) -> None:
        """Until it answers; a server that dies at its very first start is not worth a second try."""
        child = next(child for child in self._children if child.name == server.name)
        deadline = time.monotonic() + START_TIMEOUT
        while not server.is_ready():
            if self._stopping.wait(TICK):
                return
            if child.pid is None:
                raise EmbeddedError(f"{server.name} did not start; its last lines above say why.")
            if time.monotonic() > deadline:
                raise EmbeddedError(f"{server.name} did not answer within {START_TIMEOUT:g} s.")
        server.settle()

    def _run_once(self, command: tuple[str, ...]) -> None:
        """A set-up command, to its end. It dies with us as the others do."""
        if self._stopping.is_set():
            return
        argv = launched_as_self(runnable(command, sys.executable), signal.SIGTERM)
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            cwd=self._directory, env=dict(self._environment), start_new_session=True,
        )  # fmt: skip
        self._guardian.watch(process.pid, signal.SIGTERM)
        reader = self._output.follow("set-up", process.stdout) if process.stdout else None
        while process.poll() is None:
            if self._stopping.wait(TICK):
                process.terminate()
                process.wait()
        self._guardian.forget(process.pid)
        if reader:
            reader.join(5)
        if process.returncode != 0 and not self._stopping.is_set():
            raise EmbeddedError(f"`{' '.join(command)}` {ending(process.returncode)}; its last lines above say why.")

    def _stop_all(self) -> None:
        """Stage by stage, each within its patience."""
        if self._children:
            self._output.say("up", "stopping; once more for less patience")
        for stage in Stage:
            children = [child for child in self._children if child.stage == stage]
            for child in children:
                child.ask_to_stop()
            deadline = time.monotonic() + STOP_PATIENCE[stage]
            # The database is given its time even in a hurry: killed, it would have to recover at the next start.
            while not all(child.ended() for child in children):
                if time.monotonic() > deadline or (self._hurry and stage != Stage.SERVERS):
                    break
                time.sleep(TICK)
            for child in children:
                child.kill()
