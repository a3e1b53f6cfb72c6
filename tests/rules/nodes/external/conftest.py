"""Work outside, on this machine."""

from collections.abc import AsyncIterator

import pytest

from tests.rules.nodes.external.authority import Authority
from tests.rules.nodes.outside import LocalOutside


@pytest.fixture
async def outside() -> AsyncIterator[LocalOutside]:
    async with LocalOutside() as outside:
        yield outside


@pytest.fixture(scope="session")
def authority() -> Authority:
    return Authority()
