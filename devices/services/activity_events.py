"""What the rule chains hear of the activity of devices (compat/rule_engine.md, "Messages fed by the platform")."""

import uuid
from collections.abc import Mapping
from typing import Any, NamedTuple

import psycopg

from devices.services.activity_rules import (
    ACTIVE,
    INACTIVITY_ALARM,
    INACTIVITY_TIMEOUT,
    LAST_ACTIVITY,
    LAST_CONNECT,
    LAST_DISCONNECT,
    ChangeKind,
)
from telemetry.points import Scope, Value
from thingsboard.kernel import outbox
from thingsboard.kernel.encoding import json_bytes
from thingsboard.kernel.ids import EntityId, EntityType

# Members of ThingsBoard's device state, and the attributes in which they are kept.
_TIMES = {
    "lastConnectTime": LAST_CONNECT,
    "lastActivityTime": LAST_ACTIVITY,
    "lastDisconnectTime": LAST_DISCONNECT,
    "lastInactivityAlarmTime": INACTIVITY_ALARM,
}


class Who(NamedTuple):
    """A device as its events need to know it; `type` is its profile's name, `queue` that profile's."""

    id: uuid.UUID
    tenant_id: uuid.UUID
    customer_id: uuid.UUID | None
    name: str
    label: str
    type: str
    queue: str | None


class Events:
    """The events of many devices, gathered and then appended in the transaction that writes their state."""

    def __init__(self) -> None:
        self._gathered: dict[tuple[uuid.UUID, str], list[outbox.Message]] = {}

    def add(self, device: Who, kind: ChangeKind, ts: int, state: Mapping[str, Value], default_timeout: int) -> None:
        """Something happened at `ts` (ms); `state` has the attributes as they are from now on, the timeout is in ms."""
        body: dict[str, Any] = {member: _whole(state.get(name)) for member, name in _TIMES.items()}
        body["inactivityTimeout"] = _whole(state.get(INACTIVITY_TIMEOUT)) or default_timeout
        if kind is not ChangeKind.CONNECT:
            body["active"] = state.get(ACTIVE) is True
        metadata = {
            "deviceName": device.name,
            "deviceLabel": device.label,
            "deviceType": device.type,
            "ts": str(ts),
            "scope": Scope.SERVER.json,
        }
        originator = EntityId(EntityType.DEVICE, device.id)
        message = outbox.Message(kind, originator, json_bytes(body), metadata, ts, device.customer_id)
        self._gathered.setdefault((device.tenant_id, device.queue or outbox.MAIN), []).append(message)

    def append(self, connection: psycopg.Connection[Any]) -> set[int]:
        """Append them in the connection's open transaction; returns the lanes to kick once it is committed."""
        lanes: set[int] = set()
        for (tenant_id, queue), messages in sorted(self._gathered.items(), key=lambda each: each[0]):
            lanes |= outbox.append_on(connection, tenant_id, messages, queue=queue)
        return lanes


def _whole(value: Value | None) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
