"""One jailed process for all tests of scripts; its scripts have 50 ms."""

from collections.abc import Iterator

import pytest

from thingsboard.kernel.script import Jail, Limits

QUICK = Limits(timeout_ms=50, memory_bytes=8 << 20, longest_result=100_000, scripts=16)


@pytest.fixture(scope="session")
def jail() -> Iterator[Jail]:
    jail = Jail(QUICK)
    yield jail
    jail.close()
