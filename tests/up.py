"""`manage.py up` under test: a whole platform in processes of its own, and which of them is which."""

import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from http.client import HTTPException
from pathlib import Path

import psutil
import psycopg
import pytest

from tests.supervisor.commands import CHECKOUT, environment
from tests.waiting import until
from thingsboard.embedded.addresses import database_url

READY_SECONDS = 60.0


class Up:
    """One running platform. `variables` go into its environment; its output is kept in the data directory."""

    def __init__(self, data_dir: Path, **variables: object) -> None:
        self.data_dir = data_dir
        self.variables = environment(data_dir, **variables)
        self.http_port = int(self.variables["TB_HTTP_PORT"])
        self.mqtt_port = int(self.variables["TB_MQTT_PORT"])
        self.log = data_dir / "output"
        self.process: subprocess.Popen[bytes]
        self.family: list[psutil.Process] = []
        self.start()

    def start(self) -> None:
        """Start it, or start it again after its end."""
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "up"], cwd=CHECKOUT, env=self.variables, stdout=output, stderr=output
            )

    def ready(self) -> bool:
        """Whether it has said so; from then on its processes are known to `orphans`."""
        assert self.process.poll() is None, self.log.read_text()
        if "Ready after" not in self.log.read_text():
            return False
        self.meet()
        return True

    def await_ready(self) -> None:
        """Return when it is ready to serve, and again ready after a process was killed."""
        until(self.ready, READY_SECONDS)
        until(lambda: self.health() == 200, READY_SECONDS)
        self.meet()

    def meet(self) -> None:
        """Remember every process that it has now."""
        self.family = psutil.Process(self.process.pid).children(recursive=True)

    def orphans(self) -> list[str]:
        """Which of its processes live."""
        return [line for each in self.family if (line := _command(each))]

    def child(self, word: str) -> psutil.Process:
        """The supervisor's own child with this word on its command line."""
        (found,) = [each for each in psutil.Process(self.process.pid).children() if word in _command(each)]
        return found

    def health(self) -> int:
        """The status of /health/ready; 0 while nobody answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.http_port}/health/ready", timeout=10) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as answer:
            answer.close()
            return answer.code
        except (OSError, HTTPException):
            return 0

    def database(self) -> "psycopg.Connection[tuple]":
        """A connection of our own to its database, in autocommit mode."""
        return psycopg.connect(database_url(self.data_dir), autocommit=True)


def _command(process: psutil.Process) -> str:
    """Its command line, "" when it is gone."""
    try:
        return "" if process.status() == "zombie" else " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


@pytest.fixture
def up() -> Iterator[Callable[..., Up]]:
    """Start platforms: `up(data_dir, NAME=value, ...)`; killed at the end when they still run."""
    yield from platforms()


def platforms() -> Iterator[Callable[..., Up]]:
    """What the fixture `up` does, for fixtures of another scope."""
    started: list[Up] = []

    def start(data_dir: Path, **variables: object) -> Up:
        data_dir.mkdir(exist_ok=True)
        started.append(Up(data_dir, **variables))
        return started[-1]

    yield start
    for platform in started:
        platform.process.kill()
        platform.process.wait()
    for platform in started:
        until(lambda: not platform.orphans())  # noqa: B023 - run at once
