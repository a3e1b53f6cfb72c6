"""Two tenants' devices, and a server whose ingest records."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import pytest
import uvloop
from django.db import connections

from devices import models
from devices.models import DeviceCredentials, DeviceProfile
from devices.services.credentials import lookup_of
from rules.services.defaults import equip
from tenants.models import Tenant, TenantProfile
from tests.transports.mqtt.client import Device
from tests.transports.mqtt.recorder import RecordingIngest
from thingsboard.kernel.secrets import encrypt
from thingsboard.transports.mqtt.limits import Limits
from thingsboard.transports.mqtt.server import MqttServer

T = TypeVar("T")


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> dict[str, Callable[[], Any]]:
    """As in production."""
    return {"uvloop": uvloop.new_event_loop}


@dataclass
class World:
    """Devices by token; `device(token)` makes another one."""

    profile: DeviceProfile
    devices: dict[str, models.Device]

    def device(self, token: str, profile: DeviceProfile | None = None) -> models.Device:
        profile = profile or self.profile
        device = models.Device.objects.create(tenant=profile.tenant, profile=profile, name=f"Device {token}")
        DeviceCredentials.objects.create(
            device=device, credentials_type="ACCESS_TOKEN", lookup=lookup_of(token), encrypted_id=encrypt(token)
        )
        self.devices[token] = device
        return device


@pytest.fixture
def world(transactional_db: None) -> World:
    """One tenant with two devices, ONE and TWO, and STRANGER of another tenant."""
    plan = TenantProfile.objects.create(name="Default")
    profiles = []
    for title in ("Ours", "Theirs"):
        tenant = Tenant.objects.create(title=title, profile=plan)
        profiles.append(DeviceProfile.objects.create(tenant=tenant, name="default"))
        equip(tenant.pk)
    world = World(profiles[0], {})
    world.device("ONE")
    world.device("TWO")
    world.device("STRANGER", profiles[1])
    return world


async def from_database(read: Callable[..., T], *arguments: Any) -> T:
    """Read through the ORM, in a thread that leaves no connection behind."""

    def run() -> T:
        try:
            return read(*arguments)
        finally:
            connections.close_all()

    return await asyncio.to_thread(run)


@dataclass
class Front:
    """A running server and its ingest."""

    server: MqttServer
    ingest: RecordingIngest

    @property
    def port(self) -> int:
        return self.server.port

    def counted(self, reason: str) -> int:
        return self.server.counters.by_reason.get(reason, 0)


@asynccontextmanager
async def serving(ingest: dict[str, Any] | None = None, **limits: Any) -> AsyncIterator[Front]:
    """A server on a free port; `limits` replace those of the settings."""
    made: list[RecordingIngest] = []

    def make(settle: Callable[..., None], room: Callable[[], None]) -> RecordingIngest:
        made.append(RecordingIngest(settle, room, **(ingest or {})))
        return made[0]

    server = MqttServer(make, replace(Limits.from_settings(), **limits))
    await server.start("127.0.0.1", 0)
    try:
        yield Front(server, made[0])
    finally:
        for device in list(Device.living):
            await device.leave()
        made[0].sink.release.set()
        await server.stop()
