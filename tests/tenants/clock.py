"""A clock that tests move."""

from collections.abc import Callable, Iterator
from time import time as real

import pytest

from thingsboard.kernel import time


@pytest.fixture
def clock() -> Iterator[Callable[[float], None]]:
    """Moves the platform's clock by seconds from now; put back afterwards."""
    yield lambda seconds: time.set_source(lambda: real() + seconds)
    time.set_source(None)
