"""What the tests of activity share: a person who looks at devices through the API, and a clock that is ahead."""

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from devices.tasks import review_activity
from tenants.models import Authority, User
from tenants.services.users import create_user
from tests.cast import api
from tests.transports.mqtt.conftest import World, from_database
from thingsboard.kernel.time import now_ms, set_source

SECONDS = 1000
MINUTES = 60_000


class Observer:
    """The administrator of the world's tenant, and the clock."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.user: User = create_user(
            "eve@ours.example", Authority.TENANT_ADMIN, password="x", tenant=world.profile.tenant
        )
        self._ahead = 0.0

    def path(self, token: str, *, verb: str = "values/attributes/SERVER_SCOPE") -> str:
        return f"/api/plugins/telemetry/DEVICE/{self.world.devices[token].id}/{verb}"

    async def attributes(self, token: str) -> dict[str, Any]:
        """The server attributes of a device, as the API gives them."""
        answer = await from_database(lambda: api(self.user).get(self.path(token)))
        assert answer.status_code == 200
        return {each["key"]: each["value"] for each in answer.json()}

    async def until(self, token: str, holds: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        """The attributes as soon as something holds of them."""
        found: dict[str, Any] = {}
        async with asyncio.timeout(10):
            while not holds(found := await self.attributes(token)):
                await asyncio.sleep(0.02)
        return found

    async def set(self, token: str, **values: Any) -> None:
        """Write server attributes through the API."""
        answer = await from_database(
            lambda: api(self.user).post(self.path(token, verb="SERVER_SCOPE"), values, format="json")
        )
        assert answer.status_code == 200

    def pass_time(self, ms: int) -> int:
        """Let so many ms pass; returns the present."""
        self._ahead += ms / 1000
        set_source(lambda: time.time() + self._ahead)
        return now_ms()

    async def review(self) -> None:
        """What Celery's clock does."""
        await from_database(review_activity)


@pytest.fixture
def observer(world: World, settings: Any) -> Iterator[Observer]:
    """Reports come within tenths of a second."""
    settings.TB_ACTIVITY_REPORT_SECONDS = 0.05
    yield Observer(world)
    set_source(None)
