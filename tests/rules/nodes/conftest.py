"""The world that each test of a node begins with."""

from collections.abc import Iterator

import pytest

from tests.rules.nodes.context import JAIL, World


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture(scope="session", autouse=True)
def jail_is_closed() -> Iterator[None]:
    yield
    JAIL.close()
