"""Writes of groups of devices."""

import uuid
from collections.abc import Iterable
from typing import Any

from django.db import transaction

from devices.models import Device, DeviceGroup
from tenants.models import ActionType
from tenants.services import audit
from thingsboard.kernel.constraints import refusing
from thingsboard.kernel.errors import BadRequest
from thingsboard.kernel.ids import EntityType

_TAKEN = {"device_group_name": "Device group with such name already exists!"}
MOST_MEMBERS = 1000  # of one request


@transaction.atomic
def create_device_group(
    tenant_id: uuid.UUID, name: str, *, additional_info: dict[str, Any] | None = None
) -> DeviceGroup:
    """A group of the tenant, without devices. Raises BadRequest for an empty or taken name."""
    group = DeviceGroup(tenant_id=tenant_id, name=_named(name), additional_info=additional_info)
    with audit.deed(ActionType.ADDED, EntityType.DEVICE_GROUP, group) as entry:
        with refusing(_TAKEN):
            group.save(force_insert=True)
        entry.after(group)
    return group


@transaction.atomic
def update_device_group(group: DeviceGroup, name: str, *, additional_info: dict[str, Any] | None = None) -> DeviceGroup:
    """Rename it. Raises BadRequest for an empty or taken name."""
    group = DeviceGroup.objects.select_for_update().get(pk=group.pk)
    with audit.deed(ActionType.UPDATED, EntityType.DEVICE_GROUP, group) as entry:
        entry.before(group)
        group.name, group.additional_info = _named(name), additional_info
        group.version += 1
        with refusing(_TAKEN):
            group.save()
        entry.after(group)
    return group


@transaction.atomic
def delete_device_group(group: DeviceGroup) -> None:
    """Delete it with its shares; its devices stay."""
    with audit.deed(ActionType.DELETED, EntityType.DEVICE_GROUP, group) as entry:
        entry.before(group)
        group.delete()


@transaction.atomic
def add_devices(group: DeviceGroup, devices: Iterable[uuid.UUID]) -> None:
    """Take devices of the same tenant in. Raises BadRequest when one of them is none; then none is taken in."""
    wanted = set(devices)
    if len(wanted) > MOST_MEMBERS:
        raise BadRequest(f"Too many members: {len(wanted)}; at most {MOST_MEMBERS} at a time")
    found = list(Device.objects.filter(tenant_id=group.tenant_id, pk__in=wanted).order_by("name"))
    missing = wanted - {device.pk for device in found}
    if missing:
        raise BadRequest(f"Not a device of this tenant: {min(map(str, missing))}")
    with audit.deed(ActionType.UPDATED, EntityType.DEVICE_GROUP, group) as entry:
        group.members.add(*found)
        entry.after({"added_members": [device.name for device in found]})


@transaction.atomic
def remove_devices(group: DeviceGroup, devices: Iterable[uuid.UUID]) -> None:
    """Take devices out: who saw them through the group sees them no more, at once. Who is no member counts for nothing."""
    found = list(group.members.filter(pk__in=list(devices)[:MOST_MEMBERS]).order_by("name"))
    with audit.deed(ActionType.UPDATED, EntityType.DEVICE_GROUP, group) as entry:
        group.members.remove(*found)
        entry.after({"removed_members": [device.name for device in found]})


def _named(name: str) -> str:
    if not name.strip():
        raise BadRequest("Device group name should be specified!")
    return name.strip()
