"""The clock of tests of what waits: it stands still, and fires what is due when it is moved."""

from collections.abc import Iterator
from typing import Self

import pytest

from rules.engine.clock import fire_due
from rules.engine.drain import Drain
from tests.rules.engine.world import drain
from thingsboard.kernel import time
from thingsboard.kernel.models import OutboxRow, Timer

BEGIN = 1_800_000_000_000


class Clock:
    """`now` in ms."""

    def __init__(self) -> None:
        self.now = BEGIN
        time.set_source(lambda: self.now / 1000)

    def move(self, ms: int) -> Self:
        """Later by so many ms."""
        self.now += ms
        return self

    def run(self, worker: Drain | None = None, *, most: int = 2000) -> None:
        """Everything that is due and queued now, until nothing is left."""
        drain(worker)
        while Timer.objects.filter(due__lte=self.now).exists() or OutboxRow.objects.exists():
            while fire_due(1.0, most):
                pass
            drain(worker)


@pytest.fixture
def clock() -> Iterator[Clock]:
    yield Clock()
    time.set_source(None)
