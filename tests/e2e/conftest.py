"""The fixtures of whole platforms."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.up import up

__all__ = ["disk_dir", "up"]


@pytest.fixture(scope="module")
def disk_dir() -> Iterator[Path]:
    """A fresh directory of mode 0755 on a real disk: what survives kill -9 must not survive by being in memory."""
    path = Path(tempfile.mkdtemp(prefix="tb-e2e-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)
