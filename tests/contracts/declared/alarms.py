"""Alarms."""

import uuid

from alarms.services.alarms import create_or_update_alarm
from alarms.services.state import AlarmRequest
from devices.models import Device
from tests.contracts.contract import Kind, Kinds, Routes, by
from thingsboard.kernel.ids import EntityId, EntityType

_PAGE = "pageSize=100&page=0"
_ALARM = {
    "originator": {"entityType": "DEVICE", "id": "{device}"},
    "type": "New",
    "severity": "MAJOR",
    "details": {"a": 1},
    "startTs": 1,
    "endTs": 2,
    "propagate": True,
    "propagateRelationTypes": ["Contains"],
    "acknowledged": False,
}
_ALARM_V1 = {
    "originator": {"entity_type": "DEVICE", "id": "{device}"},
    "type": "Hot",
    "severity": "MAJOR",
    "details": {"a": 1},
    "start_ts": 1,
    "propagate_relation_types": ["Contains"],
}
# An alarm has the customer of its originator, which its body names.
_OF_ENTITY = by("STC", query=_PAGE, answers={"S": 404})  # 404: a system administrator sees no devices

_THINGSBOARDS: Routes = {
    "api/alarm": {"POST": by("TC", body=_ALARM, saves="alarm", gives=True)},
    "api/alarm/<alarm_id>": {"GET": by("TC"), "DELETE": by("TC")},
    "api/alarm/<alarm_id>/ack": {"POST": by("TC")},
    "api/alarm/<alarm_id>/assign": {"DELETE": by("TC", answers={"T": 400, "C": 400})},  # 400: it is nobody's
    "api/alarm/<alarm_id>/assign/<assignee_id>": {"POST": by("TC")},
    "api/alarm/<alarm_id>/clear": {"POST": by("TC")},
    "api/alarm/<entity_type>/<entity_id>": {"GET": _OF_ENTITY},
    "api/alarm/highestSeverity/<entity_type>/<entity_id>": {"GET": by("TC")},
    "api/alarm/info/<alarm_id>": {"GET": by("TC")},
    "api/alarm/types": {"GET": by("TC", query=_PAGE)},
    "api/alarms": {"GET": by("TC", query=_PAGE)},
    "api/users/assign/<alarm_id>": {"GET": by("TC", query=_PAGE)},
    "api/v2/alarm/<entity_type>/<entity_id>": {"GET": _OF_ENTITY},
    "api/v2/alarms": {"GET": by("TC", query=_PAGE)},
}

_OURS: Routes = {
    "api/v1/alarms": {"GET": by("TC"), "POST": by("TC", body=_ALARM_V1, gives=True)},
    "api/v1/alarms/<pk>": {"GET": by("TC"), "PUT": by("TC", body=_ALARM_V1), "DELETE": by("TC")},
    "api/v1/alarms/<pk>/acknowledge": {"POST": by("TC")},
    "api/v1/alarms/<pk>/assignee": {
        "PUT": by("TC", body={"assignee_id": "{customer_user}"}),
        "DELETE": by("TC", answers={"T": 400, "C": 400}),
    },
    "api/v1/alarms/<pk>/clear": {"POST": by("TC")},
}

ROUTES: Routes = {**_THINGSBOARDS, **_OURS}


def _raise(device: Device, kind: str) -> uuid.UUID:
    request = AlarmRequest(
        tenant_id=device.tenant_id,
        customer_id=device.customer_id,
        originator=EntityId(EntityType.DEVICE, device.pk),
        type=kind,
        severity="MAJOR",
    )
    return create_or_update_alarm(request).id


KINDS: Kinds = {
    "alarm": Kind(
        named=("alarm_id", "alarms"),
        own=lambda world, _: _raise(world.cast.bobs_device, "Hot"),
        foreign=lambda world, _: _raise(world.cast.foreign_device, "Hot"),
        more=lambda world, n: _raise(world.cast.bobs_device, f"Further {n}"),
    ),
}
