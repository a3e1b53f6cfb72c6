"""The world that each test of a node begins with."""

import pytest

from tests.rules.nodes.context import World


@pytest.fixture
def world() -> World:
    return World()
