"""The embedded PostgreSQL: one cluster in the data directory, on a unix socket only."""

import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from . import tuning
from .account import Account, for_servers, own
from .addresses import DATABASE_NAME, DATABASE_USER, database_url, run_dir
from .binaries import PostgresBinaries, find_postgres
from .directories import free_bytes, prepare_run_dir
from .errors import EmbeddedError
from .processes_in import processes_in
from .server import launched, minimal_environment, running

SUPERUSER = "postgres"
INITDB_TIMEOUT = 300.0  # seconds
CONFIG_NAME = "thingsboard.conf"


class Postgres:
    """The cluster in `<data_dir>/postgres`. `durable=False` is for clusters that are thrown away."""

    name = "postgres"
    stop_signal = signal.SIGINT  # "fast shutdown": clients are sent away, everything is written

    def __init__(self, data_dir: Path, *, durable: bool = True, account: Account | None = None) -> None:
        self.data_dir = data_dir
        self.cluster = data_dir / "postgres"
        self.durable = durable
        self.binaries = self._binaries()
        self.account = account or for_servers([self.binaries.postgres, self.cluster])

    def prepare(self, patience: float = 60.0) -> None:
        """Make or adopt the cluster and write its configuration. Raises EmbeddedError when it cannot be used."""
        try:
            prepare_run_dir(self.data_dir, self.account)
            if not self.cluster.exists():
                self._init()
            own(self.cluster, self.account)
            self._await_predecessor(patience)
            self._configure()
        except OSError as error:
            raise EmbeddedError(f"{error.filename or self.cluster}: {error.strerror}.") from None

    def argv(self) -> list[str]:
        """`postgres` in the foreground. What keeps strangers out is on the command line, above any file."""
        options = {
            "listen_addresses": "",
            "unix_socket_directories": str(run_dir(self.data_dir)),
            "unix_socket_permissions": "0700",
            "port": "5432",
        }
        flags = [flag for name, value in options.items() for flag in ("-c", f"{name}={value}")]
        return launched([str(self.binaries.postgres), "-D", str(self.cluster), *flags], self.account, self.stop_signal)

    def is_ready(self) -> bool:
        """Whether it takes connections."""
        try:
            with psycopg.connect(self._superuser_dsn(), connect_timeout=2):
                return True
        except psycopg.OperationalError:
            return False

    def settle(self) -> None:
        """The role and the database that the platform uses, and the extension when the server has it."""
        with psycopg.connect(self._superuser_dsn(), autocommit=True, connect_timeout=10) as connection:
            known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [DATABASE_USER]).fetchone()
            if not known:
                # CREATEDB lets the test suite make its database; no superuser, so no SQL of ours reaches the shell.
                connection.execute(f"CREATE ROLE {DATABASE_USER} LOGIN CREATEDB IN ROLE pg_monitor")
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE_NAME]).fetchone():
                connection.execute(f"CREATE DATABASE {DATABASE_NAME} OWNER {DATABASE_USER}")
        if self.binaries.has_timescaledb:
            dsn = self._superuser_dsn(DATABASE_NAME)
            with psycopg.connect(dsn, autocommit=True, connect_timeout=10) as connection:
                connection.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")

    def _superuser_dsn(self, database: str = "postgres") -> str:
        return f"host={run_dir(self.data_dir)} port=5432 user={SUPERUSER} dbname={database}"

    def _binaries(self) -> PostgresBinaries:
        """The server for this cluster: of its own major version when there is one."""
        version = self.cluster / "PG_VERSION"
        try:
            made_by = version.read_text().strip()
        except FileNotFoundError:
            if self.cluster.exists():
                raise EmbeddedError(f"{self.cluster} is no PostgreSQL data directory; move it away.") from None
            return find_postgres()
        except OSError as error:
            raise EmbeddedError(f"{version}: {error.strerror}.") from None
        try:
            return find_postgres(int(made_by))
        except (EmbeddedError, ValueError) as error:
            raise EmbeddedError(
                f"{self.cluster} was made by PostgreSQL {made_by}, which is not among the servers here. {error} "
                f"Set PG_BIN to the directory of a PostgreSQL {made_by}; or dump with that version, move the directory "
                "away and restore (docs/guides/upgrade-postgresql.md)."
            ) from None

    def _init(self) -> None:
        """Initialise beside the final place, then rename: a start that is cut short leaves nothing half made."""
        fresh = self.cluster.with_name("postgres.new")
        if fresh.exists():
            shutil.rmtree(fresh)
        fresh.mkdir(mode=0o700)
        own(fresh, self.account)
        # The server's own C.UTF-8 (17 and later) is fast, the same everywhere and knows upper and lower case.
        modern = self.binaries.major >= 17
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if modern else []
        durability = ["--data-checksums"] if self.durable else ["--no-sync"]
        argv = [
            str(self.binaries.initdb), "-D", str(fresh), "-U", SUPERUSER, "--auth=trust", "--encoding=UTF8",
            "--no-locale", "--no-instructions", *locale, *durability,
        ]  # fmt: skip
        result = subprocess.run(
            launched(argv, self.account, signal.SIGKILL), cwd="/", env=minimal_environment(), stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=INITDB_TIMEOUT, check=False,
        )  # fmt: skip
        if result.returncode != 0:
            lines = result.stderr.strip().splitlines() or ["it said nothing"]
            raise EmbeddedError(f"initdb failed: {lines[-1]}")
        # In place of initdb's own file, whose every line would win over ours. Opened in place: it keeps its owner.
        (fresh / "postgresql.conf").write_text(
            f"include '{CONFIG_NAME}'\n# Your own settings, below, win over these.\n"
        )
        fresh.rename(self.cluster)

    def _configure(self) -> None:
        """Our parameters for this machine, in a file of their own."""
        if self.durable:
            values = tuning.parameters(
                tuning.machine_memory(),
                free_bytes(self.cluster),
                lz4=self.binaries.has_lz4,
                timescaledb=self.binaries.has_timescaledb,
            )
        else:
            values = tuning.throwaway_parameters(timescaledb=self.binaries.has_timescaledb)
        fresh = self.cluster / f"{CONFIG_NAME}.new"
        header = "# Written by the platform at every start. Your own settings belong into postgresql.conf.\n"
        fresh.write_text(header + tuning.as_file(values))
        fresh.chmod(0o600)
        own(fresh, self.account)
        fresh.replace(self.cluster / CONFIG_NAME)

    def _await_predecessor(self, patience: float) -> None:
        """A server that was told to stop when its owner died may still be writing; stale pid files are removed.

        We hold the data directory's lock, so a server that goes on running was started by hand.
        """
        deadline = time.monotonic() + patience
        while alive := processes_in(self.cluster):
            if time.monotonic() > deadline:
                raise EmbeddedError(f"A PostgreSQL already runs on {self.cluster} (process {alive[0]}); stop that one.")
            time.sleep(0.05)
        # PostgreSQL itself would refuse to start when the number in a stale file now belongs to another program.
        if alive is not None:
            for stale in (self.cluster / "postmaster.pid", *run_dir(self.data_dir).glob(".s.PGSQL.*")):
                stale.unlink(missing_ok=True)


@contextmanager
def throwaway(directory: Path) -> Iterator[str]:
    """A cluster that lives as long as the `with` block: yields the DSN of its empty database.

    Without fsync; `directory` must exist, is best below /dev/shm, and is left for its owner to delete.
    """
    with running(Postgres(directory, durable=False), directory / "postgres.log"):
        yield database_url(directory)
