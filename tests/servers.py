"""The servers of a test run: one throw-away PostgreSQL and a Valkey for each process, started before Django reads its settings.

A pytest plugin (`-p tests.servers` in pyproject.toml). The first process starts them and names them in the environment, which
the workers of pytest-xdist inherit; each worker makes its own database, and starts its own Valkey, whose connections some tests
cut, all of them. With DATABASE_URL or REDIS_URL set, those are used.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from thingsboard.embedded import postgres, valkey

_running = ExitStack()
VALKEYS = "TB_TEST_VALKEYS"  # in the environment of workers: where each is to have its own


def fresh_directory() -> Path:
    """A directory that other accounts may enter, in memory where there is room."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > 4 << 30
    path = Path(tempfile.mkdtemp(prefix="tb-", dir=memory if roomy else None))
    path.chmod(0o755)
    return path


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests() -> Iterator[None]:
    """Before pytest-django looks for the settings."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        root = fresh_directory()
        _running.callback(shutil.rmtree, root, ignore_errors=True)
        os.environ["TB_DATA_DIR"] = str(root / "data")
        if not os.environ.get("DATABASE_URL"):
            os.environ["DATABASE_URL"] = _running.enter_context(postgres.throwaway(_made(root / "pg")))
        if not os.environ.get("REDIS_URL"):
            os.environ["REDIS_URL"] = _running.enter_context(valkey.throwaway(_made(root / "valkey")))
            os.environ[VALKEYS] = str(root)
    elif directory := os.environ.get(VALKEYS):
        own = _made(Path(directory) / f"valkey-{os.environ['PYTEST_XDIST_WORKER']}")
        os.environ["REDIS_URL"] = _running.enter_context(valkey.throwaway(own))
    return (yield)


def _made(path: Path) -> Path:
    path.mkdir(mode=0o755)
    return path


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """At the very end, after pytest-django dropped its databases."""
    _running.close()
