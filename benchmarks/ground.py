"""The ground that benchmarks stand on: a platform of their own, load from a separate process, CPU by process."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parent.parent
READY_TIMEOUT_S = 180.0
STOP_TIMEOUT_S = 60.0
SAMPLE_S = 0.1


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: what, its figure with unit, the ratio to the reference (None for a reference), remarks."""

    what: str
    value: float
    unit: str
    ratio: float | None = None
    note: str = ""


@dataclass(slots=True)
class Ground:
    """A running platform and how long and how often to measure. `seconds` of load a run, best of `rounds`."""

    data_dir: Path
    http_port: int
    mqtt_port: int
    process: psutil.Process
    seconds: float = 20.0
    rounds: int = 3
    environment: dict[str, str] = field(default_factory=dict)

    def loadtest(self, *arguments: str, mqtt_port: int = 0) -> dict[str, Any]:
        """One `manage.py loadtest` in a process of its own; its JSON. Raises RuntimeError when it printed none."""
        target = f"127.0.0.1:{mqtt_port or self.mqtt_port}"
        command = [sys.executable, "manage.py", "loadtest", "--json", "--mqtt", target, *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=3600)
        try:
            result: dict[str, Any] = json.loads(done.stdout)
        except json.JSONDecodeError:
            raise RuntimeError(f"{' '.join(command[1:])}: {done.stderr.strip()[-500:]}") from None
        return result

    def postgres(self) -> list[psutil.Process]:
        """The processes of the embedded PostgreSQL."""
        return [process for process in self.tree() if "postgres" in _name(process)]

    def tree(self) -> list[psutil.Process]:
        """The supervisor and everything it started."""
        return [self.process, *self.process.children(recursive=True)]


class CpuWatch:
    """What a changing group of processes uses: CPU, sampled so that a window can be cut out later, and memory at both ends.

    Memory is the proportional set size in bytes: pages that PostgreSQL's processes share count once.
    """

    def __init__(self, group: Any) -> None:
        self._group = group
        self._samples: list[tuple[float, float]] = []  # (ms since 1970, CPU seconds since the watch began)
        self._done: dict[int, float] = {}  # by pid: the CPU last seen, so that a process that ends is not forgotten
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.memory_before = self.memory_after = 0

    def __enter__(self) -> "CpuWatch":
        self.memory_before = self._memory()
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join()
        self.memory_after = self._memory()

    def _memory(self) -> int:
        total = 0
        for process in self._group():
            try:
                full = process.memory_full_info()
            except psutil.Error:
                continue
            total += getattr(full, "pss", full.rss)  # macOS knows no share
        return total

    def _watch(self) -> None:
        while not self._stop.wait(SAMPLE_S):
            for process in self._group():
                try:
                    times = process.cpu_times()
                    self._done[process.pid] = times.user + times.system
                except psutil.Error:
                    continue
            self._samples.append((time.time() * 1000, sum(self._done.values())))

    def seconds_between(self, started_ms: float, finished_ms: float) -> float:
        """CPU seconds used between two moments."""
        inside = [cpu for at, cpu in self._samples if started_ms <= at <= finished_ms]
        return inside[-1] - inside[0] if inside else 0.0


def _name(process: psutil.Process) -> str:
    try:
        return str(process.name())
    except psutil.Error:
        return ""


def free_port() -> int:
    """A TCP port of the loopback that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def platform(seconds: float, rounds: int) -> Iterator[Ground]:
    """A platform with a data directory and ports of its own; stopped and removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="tb-bench-", ignore_cleanup_errors=True) as directory:
        http, mqtt = free_port(), free_port()
        environment = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
        environment |= {"TB_DATA_DIR": directory, "TB_HTTP_PORT": str(http), "TB_MQTT_PORT": str(mqtt)}
        environment |= {"TB_MQTT_WS_PORT": "0", "TB_DEMO": "0"}
        Path(directory).chmod(0o755)  # as root, the database server runs as another user
        log = Path(directory) / "up.log"
        with log.open("wb") as output:
            command = [sys.executable, "manage.py", "up"]
            up = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=output, stderr=output, start_new_session=True
            )
        try:
            _await_ready(up, http, log)
            yield Ground(Path(directory), http, mqtt, psutil.Process(up.pid), seconds, rounds, environment)
        finally:
            _stop(up)


def _await_ready(up: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    deadline = time.monotonic() + READY_TIMEOUT_S
    while time.monotonic() < deadline:
        if up.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise RuntimeError(f"`manage.py up` is not ready:\n{log.read_text(errors='replace')[-2000:]}")


def _stop(up: "subprocess.Popen[bytes]") -> None:
    """Ctrl-C as a person would; after a minute the whole tree, which is all ours, is killed."""
    if up.poll() is not None:
        return
    tree = psutil.Process(up.pid).children(recursive=True)
    up.send_signal(signal.SIGINT)
    try:
        up.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        for process in [*tree, psutil.Process(up.pid)]:
            if process.is_running():
                process.kill()
        up.wait()
