"""The test's own node is known, and a server answers it."""

from collections.abc import Iterator

import pytest

from rules import registry
from tests.rules.effects.calls import Call, Server


@pytest.fixture(autouse=True)
def _registered() -> Iterator[None]:
    registry.all()[Call.TYPE] = Call
    yield
    del registry.all()[Call.TYPE]


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()
