"""The fixture of a directory for servers: other accounts may enter it, and it is in memory where there is room."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def servers_dir() -> Iterator[Path]:
    """A fresh directory of mode 0755 with a short path."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > 1 << 30
    path = Path(tempfile.mkdtemp(prefix="tb-test-", dir=memory if roomy else None))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)
