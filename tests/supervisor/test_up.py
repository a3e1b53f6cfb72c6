"""`manage.py up`, the real thing: ready, killed, started again, beside a second one."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import psutil
import psycopg
import pytest

from tests.supervisor.commands import CHECKOUT, environment
from tests.waiting import until
from thingsboard.embedded.addresses import database_url
from thingsboard.embedded.processes_in import processes_in

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
READY_SECONDS = 60.0


class Up:
    """One running platform."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.variables = environment(data_dir)
        self.log = data_dir / "output"
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "up"], cwd=CHECKOUT, env=self.variables, stdout=output, stderr=output
            )
        self.family: list[psutil.Process] = []

    def ready(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        if "Ready after" not in self.log.read_text():
            return False
        self.family = psutil.Process(self.process.pid).children(recursive=True)
        return True

    def orphans(self) -> list[str]:
        return [" ".join(each.cmdline()) for each in self.family if each.is_running() and each.status() != "zombie"]

    def health(self) -> int:
        """The status of /health/ready; 0 while nobody answers."""
        connection = HTTPConnection("127.0.0.1", int(self.variables["TB_HTTP_PORT"]), timeout=10)
        try:
            connection.request("GET", "/health/ready")
            return connection.getresponse().status
        except (OSError, HTTPException):
            return 0
        finally:
            connection.close()


@pytest.fixture
def up() -> Iterator[Callable[[Path], Up]]:
    """Start platforms; killed at the end when they still run."""
    started: list[Up] = []

    def start(data_dir: Path) -> Up:
        data_dir.mkdir(exist_ok=True)
        started.append(Up(data_dir))
        return started[-1]

    yield start
    for platform in started:
        platform.process.kill()
        platform.process.wait()
    for platform in started:
        until(lambda: not platform.orphans())  # noqa: B023 - run at once


def test_after_kill_9_nobody_is_left_and_the_next_start_finds_its_data(
    up: Callable[[Path], Up], servers_dir: Path
) -> None:
    first = up(servers_dir)
    until(first.ready, READY_SECONDS)
    with psycopg.connect(database_url(servers_dir)) as connection:
        connection.execute("CREATE TABLE t AS SELECT 42 AS answer")
    first.process.kill()
    first.process.wait()
    until(lambda: not first.orphans() and not processes_in(servers_dir / "postgres"))
    second = up(servers_dir)
    until(second.ready, READY_SECONDS)
    assert second.health() == 200
    with psycopg.connect(database_url(servers_dir)) as connection:
        assert connection.execute("SELECT answer FROM t").fetchone() == (42,)
    assert "automatic recovery" not in second.log.read_text()
    second.process.send_signal(signal.SIGINT)
    assert second.process.wait(60) == 0
    assert second.orphans() == []


def test_two_platforms_run_side_by_side_and_every_killed_process_comes_back(
    up: Callable[[Path], Up], servers_dir: Path
) -> None:
    one, other = up(servers_dir / "one"), up(servers_dir / "other")
    until(one.ready, READY_SECONDS)
    until(other.ready, READY_SECONDS)
    for victim in psutil.Process(one.process.pid).children():
        victim.kill()
    until(lambda: one.log.read_text().count("was ended by SIGKILL; starting again") >= 7)
    until(lambda: one.health() == 200, READY_SECONDS)
    assert other.health() == 200
    assert "was ended by" not in other.log.read_text()
    for platform in (one, other):
        platform.process.send_signal(signal.SIGTERM)
        assert platform.process.wait(60) == 0
        assert platform.orphans() == []
