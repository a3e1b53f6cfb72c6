"""Promise 1 (architecture.md 1) against kill -9: whatever dies, what was acknowledged is stored, once.

A load test runs over broken connections and keeps a journal, while a process dies; afterwards the journal is compared with
the tables and, by `loadtest --verify`, with the API.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.e2e.account import check
from tests.supervisor.commands import CHECKOUT
from tests.up import READY_SECONDS, Up, platforms
from tests.waiting import until
from thingsboard.embedded.processes_in import processes_in
from thingsboard.loadtest import journal

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

RATE = ("--devices=200", "--rate=3000")
FEW = ("--devices=50", "--rate=2000", "--server-time")
# One device, as fast as it is acknowledged: the server's stamps run ahead of the clock as far as they ever do.
ONE = ("--devices=1", "--window=4000", "--server-time")
AFTER = 3_000  # acknowledged messages before the first death
ONE_MORE = 1_000  # acknowledged messages that show that it works again

Kill = Callable[[Up], None]


@pytest.fixture(scope="module")
def platform(disk_dir: Path) -> Iterator[Up]:
    """A whole platform on free ports; its own demo devices stand still."""
    starting = platforms()
    platform = next(starting)(disk_dir, TB_DEMO=0)
    platform.await_ready()
    yield platform
    with pytest.raises(StopIteration):
        next(starting)


def kill_mqtt(platform: Up) -> None:
    platform.child("runmqtt").kill()


def kill_postmaster(platform: Up) -> None:
    platform.child("/postgres ").kill()


def kill_ingest_backend(platform: Up) -> None:
    """The server answers the death of a backend with the recovery of a crash; the last one may still be going on."""
    pids: list[int] = []

    def found() -> bool:
        try:
            with platform.database() as connection:
                query = "SELECT pid FROM pg_stat_activity WHERE application_name = 'thingsboard ingest'"
                pids[:] = [pid for (pid,) in connection.execute(query)]
        except psycopg.OperationalError:
            return False
        return bool(pids)

    until(found, READY_SECONDS)
    os.kill(pids[0], signal.SIGKILL)


def kill_valkey(platform: Up) -> None:
    platform.child("valkey-server").kill()


def kill_supervisor(platform: Up) -> None:
    """And start again on the same directory, once nobody is left."""
    platform.meet()
    platform.process.kill()
    platform.process.wait()
    until(lambda: not platform.orphans() and not processes_in(platform.data_dir / "postgres"), READY_SECONDS)
    platform.start()
    until(platform.ready, READY_SECONDS)
    assert "automatic recovery" not in platform.log.read_text()


class Load:
    """A load test in a process of its own."""

    def __init__(self, platform: Up, path: Path, options: tuple[str, ...]) -> None:
        self.path = path
        argv = [sys.executable, "manage.py", "loadtest", "--json", "--reconnect", "--journal", str(path), *options]
        argv.append("--duration=150")  # it is ended by `run`
        self.process = subprocess.Popen(
            argv, cwd=CHECKOUT, env=platform.variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def acknowledged(self) -> int:
        assert self.process.poll() is None, self.process.communicate()
        if not self.path.exists():
            return 0
        return sum(ledger.acknowledged_count for ledger in journal.read(self.path).ledgers)

    def await_acknowledged(self, count: int) -> None:
        until(lambda: self.acknowledged() >= count, READY_SECONDS)

    def result(self) -> dict[str, Any]:
        said, errors = self.process.communicate(timeout=150)
        assert said, errors
        result: dict[str, Any] = json.loads(said)
        assert result["problems"] == []
        return result


def run(platform: Up, path: Path, options: tuple[str, ...], kills: list[Kill], deaths: int = 1) -> dict[str, Any]:
    """A load test during which each of `kills` happens, each time after it was seen to work."""
    load = Load(platform, path, options)
    try:
        load.await_acknowledged(AFTER)
        for kill in kills * deaths:
            kill(platform)
            load.await_acknowledged(load.acknowledged() + ONE_MORE)
        load.process.send_signal(signal.SIGINT)  # as Ctrl-C: no new messages, then the comparison
        return load.result()
    finally:
        load.process.kill()
        load.process.wait()


def assert_kept(platform: Up, path: Path, result: dict[str, Any]) -> None:
    account = journal.read(path)
    assert account.complete
    platform.await_ready()
    with platform.database() as connection:
        # One picture of both tables: what had arrived when the load ended, unacknowledged, may still be on its way.
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        findings = check(connection, account)
        connection.execute("COMMIT")
        assert findings.clean, findings
        assert findings.acknowledged > 3 * AFTER
        assert findings.stored >= findings.acknowledged
        assert_undamaged(connection)
    argv = [sys.executable, "manage.py", "loadtest", "--json", "--verify", str(path)]
    again = subprocess.run(
        argv, cwd=CHECKOUT, env=platform.variables, capture_output=True, text=True, timeout=120, check=False
    )
    verified = json.loads(again.stdout)
    assert (verified["lost"], verified["acknowledged"]) == (0, result["acknowledged"])
    assert again.returncode == 0


def assert_undamaged(connection: "psycopg.Connection[Any]") -> None:
    """Every page was read above; the server counts those whose checksum was wrong."""
    (failures,) = connection.execute("SELECT sum(checksum_failures) FROM pg_stat_database").fetchone() or (None,)
    assert failures == 0


@pytest.mark.parametrize(
    ("kill", "deaths"),
    [
        pytest.param(kill_mqtt, 2, id="mqtt"),
        pytest.param(kill_postmaster, 1, id="postmaster"),
        pytest.param(kill_ingest_backend, 3, id="ingest-backend"),
        pytest.param(kill_valkey, 1, id="valkey"),
        pytest.param(kill_supervisor, 1, id="supervisor"),
    ],
)
def test_a_point_with_its_own_time_stamp_is_stored_once_whoever_is_killed(
    platform: Up, tmp_path: Path, kill: Kill, deaths: int
) -> None:
    path = tmp_path / "run.json"
    result = run(platform, path, RATE, [kill], deaths)
    assert_kept(platform, path, result)


@pytest.mark.parametrize("options", [pytest.param(FEW, id="many-devices"), pytest.param(ONE, id="one-device")])
@pytest.mark.parametrize(
    "kills",
    [
        pytest.param([kill_mqtt], id="mqtt"),
        pytest.param([kill_ingest_backend, kill_postmaster], id="database"),
        pytest.param([kill_supervisor], id="supervisor"),
    ],
)
def test_a_message_that_the_server_stamps_is_never_merged_with_another_whoever_is_killed(
    platform: Up, tmp_path: Path, kills: list[Kill], options: tuple[str, ...]
) -> None:
    path = tmp_path / "run.json"
    result = run(platform, path, options, kills)
    assert_kept(platform, path, result)
