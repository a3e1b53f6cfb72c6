"""The supervisor with real children: order, restarts, back-off, Ctrl-C and kill -9."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg
import pytest

from tests.supervisor.commands import CHECKOUT
from tests.waiting import until
from thingsboard.embedded.addresses import database_url
from thingsboard.embedded.processes_in import processes_in

# Each starts programs: a second or more of nothing but imports.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("preflight")]


class Platform:
    """A supervisor of stand-ins."""

    def __init__(self, directory: Path, process: subprocess.Popen[bytes]) -> None:
        self.directory = directory
        self.process = process

    @property
    def output(self) -> str:
        return (self.directory / "output").read_text()

    def pids(self, name: str) -> list[tuple[int, int]]:
        """(process, its child) of every start of a stand-in."""
        try:
            lines = (self.directory / f"{name}.pids").read_text().splitlines()
        except FileNotFoundError:
            return []
        return [(int(pid), int(child)) for pid, child in map(str.split, lines)]

    def started(self) -> bool:
        return bool(self.pids("work") and self.pids("door"))

    def everybody(self) -> list[int]:
        return [pid for name in ("work", "door") for pair in self.pids(name) for pid in pair]


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


Start = Callable[..., Platform]


@pytest.fixture
def start(servers_dir: Path) -> Iterator[Start]:
    """Start a platform of stand-ins; killed at the end of the test if it still runs."""
    started: list[Platform] = []

    def start_one(*options: str) -> Platform:
        argv = [sys.executable, "-m", "tests.supervisor.standins", str(servers_dir), *options]
        with (servers_dir / "output").open("ab") as output:
            process = subprocess.Popen(argv, cwd=CHECKOUT, stdout=output, stderr=output, start_new_session=True)
        platform = Platform(servers_dir, process)
        started.append(platform)
        until(lambda: platform.started() or process.poll() is not None)
        assert process.poll() is None, platform.output
        return platform

    yield start_one
    for platform in started:
        with suppressed_end(platform.process):
            platform.process.kill()
        until(lambda: not any(map(alive, platform.everybody())))  # noqa: B023 - run at once


@contextmanager
def suppressed_end(process: subprocess.Popen[bytes]) -> Iterator[None]:
    if process.poll() is None:
        yield
        process.wait()
    else:
        yield


def test_ctrl_c_stops_doors_before_workers_and_leaves_nobody(start: Start) -> None:
    platform = start()
    until(lambda: platform.output.count("hello") == 2)
    platform.process.send_signal(signal.SIGINT)
    assert platform.process.wait(20) == 0
    assert not any(map(alive, platform.everybody()))
    said = platform.output
    assert said.index("set-up   | set up") < said.index("hello")
    assert said.index("door     | leaving") < said.index("work     | leaving")


def test_a_child_that_ignores_the_signal_is_ended_by_force_when_asked_twice(start: Start) -> None:
    platform = start("stubborn")
    platform.process.send_signal(signal.SIGINT)
    until(lambda: "up       | stopping" in platform.output)
    platform.process.send_signal(signal.SIGINT)
    assert platform.process.wait(5) == 0
    assert not any(map(alive, platform.everybody()))


def test_a_killed_child_is_started_again_and_its_own_children_do_not_outlive_it(start: Start) -> None:
    platform = start()
    pid, grandchild = platform.pids("work")[0]
    os.kill(pid, signal.SIGKILL)
    until(lambda: len(platform.pids("work")) == 2)
    assert not alive(grandchild)
    assert "work     | was ended by SIGKILL; starting again in 0.5 s" in platform.output
    assert len(platform.pids("door")) == 1


def test_a_child_that_dies_at_once_is_started_again_more_and_more_slowly(start: Start) -> None:
    platform = start("weak")
    until(lambda: "weak     | ended with code 3; starting again in 2 s" in platform.output)
    assert [f"starting again in {delay} s" in platform.output for delay in ("0.5", "1", "2")] == [True] * 3
    assert platform.process.poll() is None


def test_kill_9_of_the_supervisor_leaves_no_orphan_not_even_a_stubborn_one_and_a_clean_database(
    start: Start, servers_dir: Path
) -> None:
    platform = start("postgres", "stubborn")
    with psycopg.connect(database_url(servers_dir)) as connection:
        connection.execute("CREATE TABLE t AS SELECT 42 AS answer")
    platform.process.kill()
    platform.process.wait()
    until(lambda: not any(map(alive, platform.everybody())))
    until(lambda: not processes_in(servers_dir / "postgres"))
    (servers_dir / "door.pids").unlink()
    again = start("postgres")
    with psycopg.connect(database_url(servers_dir)) as connection:
        assert connection.execute("SELECT answer FROM t").fetchone() == (42,)
    again.process.send_signal(signal.SIGTERM)
    assert again.process.wait(20) == 0
    assert "automatic recovery" not in again.output


def test_a_killed_database_server_comes_back(start: Start, servers_dir: Path) -> None:
    platform = start("postgres")
    [server] = [
        pid
        for pid in processes_in(servers_dir / "postgres") or []
        if psutil.Process(pid).ppid() == platform.process.pid
    ]
    os.kill(server, signal.SIGKILL)
    until(lambda: "postgres | was ended by SIGKILL" in platform.output)

    def answers() -> bool:
        try:
            with psycopg.connect(database_url(servers_dir)):
                return True
        except psycopg.OperationalError:
            return False

    until(answers)
    assert len(platform.pids("work")) == 1  # nobody else was disturbed


def test_a_set_up_that_fails_stops_the_start(servers_dir: Path) -> None:
    code = """
import os, sys
from pathlib import Path
from thingsboard.supervisor.output import Output
from thingsboard.supervisor.processes import Process, Stage
from thingsboard.supervisor.run import Supervisor
failing = [("python", "-c", "print('no such table'); exit(7)")]
never = [Process("never", ("python", "-c", "print('never')"), Stage.DOORS)]
sys.exit(Supervisor(servers=[], setup=failing, processes=never, directory=Path("/"), environment=os.environ,
         output=Output()).run())
"""
    result = subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True, timeout=20)
    assert result.returncode == 1
    assert "set-up   | no such table" in result.stdout
    assert "ended with code 7" in result.stdout
    assert "never    |" not in result.stdout
