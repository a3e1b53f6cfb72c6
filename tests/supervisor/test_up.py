"""`manage.py up`, the real thing: ready, killed, started again, beside a second one."""

import signal
from collections.abc import Callable
from pathlib import Path

import psutil
import psycopg
import pytest

from tests.up import READY_SECONDS, Up, up
from tests.waiting import until
from thingsboard.embedded.addresses import database_url
from thingsboard.embedded.processes_in import processes_in

__all__ = ["up"]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


def test_after_kill_9_nobody_is_left_and_the_next_start_finds_its_data(
    up: Callable[..., Up], servers_dir: Path
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
    up: Callable[..., Up], servers_dir: Path
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
