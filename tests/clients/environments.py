"""Virtual environments for clients whose packages cannot stand beside ours; kept in TB_TEST_VENVS or .cache/venvs."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from thingsboard.settings.env import BASE_DIR

INSTALL_SECONDS = 300
COMPLETE = ".complete"


def python_with(*requirements: str) -> Path:
    """The interpreter of an environment with exactly these requirements; the test fails clearly when it cannot be made."""
    key = hashlib.sha256("\n".join((sys.version, *requirements)).encode()).hexdigest()[:16]
    directory = Path(os.environ.get("TB_TEST_VENVS") or BASE_DIR / ".cache" / "venvs") / key
    with _alone(directory.with_suffix(".lock")):
        if not (directory / COMPLETE).exists():
            shutil.rmtree(directory, ignore_errors=True)  # one that was cut short
            _run([sys.executable, "-m", "venv", str(directory)])
            _run([str(_python(directory)), "-m", "pip", "install", "--quiet", "--no-input", "--no-deps",
                  "--disable-pip-version-check", "--timeout", "15", "--retries", "2", *requirements])  # fmt: skip
            (directory / COMPLETE).touch()
    return _python(directory)


def _python(directory: Path) -> Path:
    return directory / "bin" / "python"


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """No other worker makes the same environment; the lock ends with its process."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS)
    except subprocess.TimeoutExpired:
        pytest.fail(f"An environment for a client was not ready within {INSTALL_SECONDS} s: {' '.join(command)}")
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        pytest.fail(f"An environment for a client cannot be made; is the package registry reachable? {' '.join(last)}")
