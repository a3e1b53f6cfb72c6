"""What tests of alarms share: raising one through the REST API, and what the rule engine was told."""

from typing import Any

import orjson

from devices.models import Device
from tenants.models import User
from tests.cast import api, create
from thingsboard.kernel import outbox
from thingsboard.kernel.models import OutboxRow


def about(device: Device) -> dict[str, str]:
    return {"entityType": "DEVICE", "id": str(device.pk)}


def raise_alarm(user: User, device: Device, kind: str = "Hot", severity: str = "MAJOR", **more: Any) -> Any:
    answer = create(api(user), "/api/alarm", originator=about(device), type=kind, severity=severity, **more)
    assert answer.status_code == 200, answer.content
    return answer.json()


def path_of(alarm: Any, *rest: str) -> str:
    return "/".join(("/api/alarm", alarm["id"]["id"], *rest))


def told() -> list[outbox.Message]:
    """Every message about alarms in the durable queue, the oldest first."""
    rows = OutboxRow.objects.order_by("pk")
    return [message for row in rows for message in outbox.decode(row.body) if message.type.startswith("ALARM")]


def body_of(message: outbox.Message) -> Any:
    return orjson.loads(message.data)
