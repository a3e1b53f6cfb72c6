"""A tenant's backlog in the rule engine's queue: made, and worked off, as if by a rules worker."""

import uuid

import pytest
from django.conf import settings
from django.db import transaction

from tests.transports.mqtt.conftest import World
from thingsboard.kernel import outbox
from thingsboard.kernel.ids import EntityId, EntityType
from thingsboard.kernel.models import OutboxRow
from thingsboard.kernel.outbox import Message

LIMIT = 100_000  # bytes


def bounds(monkeypatch: pytest.MonkeyPatch, size: int = LIMIT, seconds: float = 3600.0) -> None:
    """A small bound, and looks that follow each other quickly."""
    monkeypatch.setattr(settings, "TB_RULE_BACKLOG_BYTES", size)
    monkeypatch.setattr(settings, "TB_RULE_BACKLOG_SECONDS", seconds)
    monkeypatch.setattr(settings, "TB_RULE_BACKLOG_CHECK_SECONDS", 0.02)


def append(tenant_id: uuid.UUID, device_id: uuid.UUID, size: int) -> None:
    """One more message of about `size` bytes waits."""
    originator = EntityId(EntityType.DEVICE, device_id)
    with transaction.atomic():
        outbox.append(tenant_id, Message("POST_TELEMETRY_REQUEST", originator, b"x" * size, {}))


def fill(world: World, token: str, size: int = LIMIT + 1) -> None:
    """A message of this device's waits."""
    device = world.devices[token]
    append(device.tenant_id, device.id, size)


def age(seconds: float) -> None:
    """Everything that waits does so for this long."""
    for row in OutboxRow.objects.all():
        OutboxRow.objects.filter(pk=row.pk).update(created_time=row.created_time - int(seconds * 1000))


def work_off() -> None:
    """The queue is empty."""
    OutboxRow.objects.all().delete()
