"""The embedded PostgreSQL: it starts, stops, comes back, survives its owner's death, and refuses clearly."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.waiting import until
from thingsboard.embedded import postgres
from thingsboard.embedded.account import Account, for_servers
from thingsboard.embedded.addresses import database_url
from thingsboard.embedded.binaries import find_postgres
from thingsboard.embedded.errors import EmbeddedError
from thingsboard.embedded.processes_in import processes_in
from thingsboard.embedded.server import running

# Owns a server until it is killed: prints the server's process id when it is up.
OWNER = """
import sys
from pathlib import Path
from thingsboard.embedded.postgres import Postgres
from thingsboard.embedded.server import running
with running(Postgres(Path(sys.argv[1])), Path(sys.argv[1]) / "log") as pid:
    print(pid, flush=True)
    sys.stdin.read()
"""


def one(url: str, query: str) -> object:
    """The first value of a query's answer."""
    with psycopg.connect(url) as connection:
        row = connection.execute(query).fetchone()  # type: ignore[arg-type, call-overload]
        return row[0] if row else None


@pytest.fixture
def owner(servers_dir: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that owns a durable server."""
    argv = [sys.executable, "-c", OWNER, str(servers_dir)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def read_line(process: subprocess.Popen[str]) -> str:
    """The next line of its output."""
    assert process.stdout is not None
    return process.stdout.readline()


def test_data_written_before_a_stop_is_there_after_the_next_start(servers_dir: Path) -> None:
    log = servers_dir / "log"
    with running(postgres.Postgres(servers_dir), log), psycopg.connect(database_url(servers_dir)) as connection:
        connection.execute("CREATE TABLE t AS SELECT 42 AS answer")
    with running(postgres.Postgres(servers_dir), log):
        assert one(database_url(servers_dir), "SELECT answer FROM t") == 42
    assert processes_in(servers_dir / "postgres") == []


def test_the_durable_server_keeps_every_promise_on_disk_and_listens_to_no_network(servers_dir: Path) -> None:
    with running(postgres.Postgres(servers_dir), servers_dir / "log"):
        shown = {
            name: one(database_url(servers_dir), f"SHOW {name}")
            for name in ("fsync", "full_page_writes", "synchronous_commit", "listen_addresses", "jit", "data_checksums")
        }
        buffers = one(database_url(servers_dir), "SELECT pg_size_bytes(current_setting('shared_buffers'))")
        superuser = one(database_url(servers_dir), "SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
    assert shown == {
        "fsync": "on", "full_page_writes": "on", "synchronous_commit": "on", "listen_addresses": "", "jit": "off",
        "data_checksums": "on",
    }  # fmt: skip
    assert isinstance(buffers, int) and buffers >= 256 * 1024 * 1024
    assert superuser is False


def test_what_a_user_writes_into_postgresql_conf_wins(servers_dir: Path) -> None:
    server = postgres.Postgres(servers_dir)
    server.prepare()
    with (servers_dir / "postgres" / "postgresql.conf").open("a") as file:
        file.write("work_mem = '11MB'\n")
    with running(server, servers_dir / "log"):
        assert one(database_url(servers_dir), "SHOW work_mem") == "11MB"
        assert one(database_url(servers_dir), "SHOW checkpoint_timeout") == "15min"


def test_a_killed_owner_leaves_no_server_and_the_next_start_finds_committed_data(
    owner: subprocess.Popen[str], servers_dir: Path
) -> None:
    assert int(read_line(owner)) > 0
    with psycopg.connect(database_url(servers_dir)) as connection:
        connection.execute("CREATE TABLE t AS SELECT 42 AS answer")
    owner.kill()
    until(lambda: processes_in(servers_dir / "postgres") == [])
    assert "shut down" in (servers_dir / "log").read_text()  # cleanly, not by SIGKILL
    with running(postgres.Postgres(servers_dir), servers_dir / "log"):
        assert one(database_url(servers_dir), "SELECT answer FROM t") == 42


def test_a_new_owner_waits_for_the_dying_server_of_the_old_one(owner: subprocess.Popen[str], servers_dir: Path) -> None:
    assert int(read_line(owner)) > 0
    owner.kill()
    with running(postgres.Postgres(servers_dir), servers_dir / "log"):
        assert one(database_url(servers_dir), "SELECT 1") == 1


def test_a_killed_server_leaves_a_stale_pid_file_that_does_not_matter_even_when_the_number_is_in_use(
    owner: subprocess.Popen[str], servers_dir: Path
) -> None:
    server = int(read_line(owner))
    os.kill(server, signal.SIGKILL)
    pid_file = servers_dir / "postgres" / "postmaster.pid"
    assert pid_file.exists()
    lines = pid_file.read_text().splitlines()
    with subprocess.Popen(["sleep", "60"]) as stranger:
        pid_file.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")
        try:
            with running(postgres.Postgres(servers_dir), servers_dir / "log"):
                assert one(database_url(servers_dir), "SELECT 1") == 1
        finally:
            stranger.kill()


def test_a_server_started_by_hand_is_left_alone_and_named(owner: subprocess.Popen[str], servers_dir: Path) -> None:
    server = int(read_line(owner))
    with pytest.raises(EmbeddedError, match=rf"already runs on .* \(process {server}\)"):
        postgres.Postgres(servers_dir).prepare(patience=0.1)
    assert one(database_url(servers_dir), "SELECT 1") == 1


def test_a_data_directory_of_a_missing_major_is_refused_with_the_way_out(servers_dir: Path) -> None:
    cluster = servers_dir / "postgres"
    cluster.mkdir()
    (cluster / "PG_VERSION").write_text("9\n")
    with pytest.raises(EmbeddedError, match=r"made by PostgreSQL 9.*found: \d+ in .*PG_BIN.*restore") as refused:
        postgres.Postgres(servers_dir)
    assert "\n" not in str(refused.value)


def test_a_directory_that_is_no_cluster_is_not_overwritten(servers_dir: Path) -> None:
    (servers_dir / "postgres").mkdir()
    (servers_dir / "postgres" / "precious").write_text("data")
    with pytest.raises(EmbeddedError, match=r"is no PostgreSQL data directory"):
        postgres.Postgres(servers_dir)


def test_an_initdb_that_was_cut_short_is_begun_anew(servers_dir: Path) -> None:
    (servers_dir / "postgres.new").mkdir()
    (servers_dir / "postgres.new" / "half").write_text("made")
    with postgres.throwaway(servers_dir) as dsn:
        assert one(dsn, "SELECT 1") == 1
    assert not (servers_dir / "postgres" / "half").exists()


def test_a_wrong_pg_bin_is_named(servers_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PG_BIN", str(servers_dir))
    with pytest.raises(EmbeddedError, match=r"PG_BIN=.*expected the directory of `postgres`"):
        postgres.Postgres(servers_dir)


def test_a_server_that_cannot_start_says_why(servers_dir: Path) -> None:
    server = postgres.Postgres(servers_dir)
    server.prepare()
    with (servers_dir / "postgres" / "postgresql.conf").open("a") as file:
        file.write("nonsense = on\n")
    with pytest.raises(EmbeddedError, match=r"postgres did not start: .*"), running(server, servers_dir / "log"):
        pass


@pytest.mark.skipif(os.geteuid() != 0, reason="only root changes the account")
def test_root_hands_the_server_to_an_account_without_rights(servers_dir: Path) -> None:
    with running(postgres.Postgres(servers_dir), servers_dir / "log") as pid:
        assert Path(f"/proc/{pid}").stat().st_uid != 0
        assert (servers_dir / "postgres").stat().st_uid != 0
        assert servers_dir.stat().st_uid == 0


@pytest.mark.skipif(os.geteuid() != 0 or sys.platform != "linux", reason="user namespaces of root")
def test_below_a_directory_that_only_root_may_enter_the_server_runs_in_a_user_namespace(servers_dir: Path) -> None:
    servers_dir.chmod(0o700)
    account = for_servers([find_postgres().postgres, servers_dir / "postgres"])
    assert account == Account(0, 0, "namespace")
    with running(postgres.Postgres(servers_dir), servers_dir / "log") as pid:
        status = Path(f"/proc/{pid}/status").read_text()
        assert "CapEff:\t0000000000000000" in status
        assert one(database_url(servers_dir), "SELECT 1") == 1
    servers_dir.chmod(0o755)  # and back: the files change hands
    with running(postgres.Postgres(servers_dir), servers_dir / "log"):
        assert (servers_dir / "postgres" / "base").stat().st_uid != 0
