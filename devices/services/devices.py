"""Writes of devices."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from devices.models import CredentialsType, Device, DeviceCredentials, DeviceGroup, DeviceProfile, DeviceSession
from devices.models.device import default_device_data
from devices.services import activity
from devices.services.credentials import Given, announce_change, create_credentials
from devices.services.events import announce
from devices.services.profiles import default_profile, profile_by_name
from devices.services.references import require_references
from tenants.limits import require_room
from tenants.models import ActionType, Customer
from tenants.services import audit
from tenants.services.events import Event
from thingsboard.kernel.constraints import refusing
from thingsboard.kernel.entities import deleting
from thingsboard.kernel.errors import BadRequest, VersionConflict
from thingsboard.kernel.ids import EntityType
from thingsboard.kernel.naming import Uniquify

NAME_TAKEN = {"device_name": "Device with such name already exists!"}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceFields:
    """What a caller may say about a device. Its tenant and customer are not among it."""

    name: str
    type: str = ""
    profile_id: uuid.UUID | None = None
    label: str = ""
    device_data: dict[str, Any] | None = None
    firmware_id: uuid.UUID | None = None
    software_id: uuid.UUID | None = None
    external_id: uuid.UUID | None = None
    additional_info: dict[str, Any] | None = None


@transaction.atomic
def create_device(
    tenant_id: uuid.UUID,
    fields: DeviceFields,
    *,
    token: str | None = None,
    credentials: Given | None = None,
    customer: Customer | None = None,
    unique: Uniquify | None = None,
) -> Device:
    """A device with its credentials: these, else this access token, else a random one; `unique` makes a taken name free.

    Its profile is the one given by id, else that named by `type` (made when there is none), else the tenant's default.
    Raises BadRequest (name, credentials, references) and LimitExceeded.
    """
    device = Device(tenant_id=tenant_id, customer=customer, name=fields.name.strip())
    with audit.deed(ActionType.ADDED, EntityType.DEVICE, device) as entry:
        require_room(tenant_id, EntityType.DEVICE, Device.objects.filter(tenant_id=tenant_id).count)
        _fill(device, fields, unique)
        with refusing(NAME_TAKEN):
            device.save(force_insert=True)
        create_credentials(device, credentials or Given(CredentialsType.ACCESS_TOKEN, token or ""))
        activity.begin(device.pk)
        entry.after(device)
        announce(Event.ENTITY_CREATED, device)
    return device


@transaction.atomic
def update_device(
    device: Device, fields: DeviceFields, *, version: int | None = None, unique: Uniquify | None = None
) -> Device:
    """Replace everything that `fields` says; tenant, customer and credentials stay.

    A device that became another for its transports (profile, gateway or not) has its sessions closed after commit: they
    would go on with what they read when it connected.
    Raises BadRequest, and VersionConflict when `version` is given and is not the present one.
    """
    device = Device.objects.select_for_update(of=("self",)).get(pk=device.pk)
    if version is not None and version != device.version:
        raise VersionConflict("The device was changed by someone else: read it again and repeat the change.")
    before = _seen_by_transports(device)
    with audit.deed(ActionType.UPDATED, EntityType.DEVICE, device) as entry:
        entry.before(device)
        _fill(device, fields, unique)
        device.version += 1
        with refusing(NAME_TAKEN):
            device.save()
        entry.after(device)
        announce(Event.ENTITY_UPDATED, device)
    if _seen_by_transports(device) != before:
        _announce(device)
    return device


@transaction.atomic
def delete_device(device: Device) -> None:
    """Delete a device with its credentials; its sessions are closed after commit.

    Its telemetry and attributes are gone for every reader with the commit, and removed in the background.
    """
    device_id = device.pk
    with audit.deed(ActionType.DELETED, EntityType.DEVICE, device) as entry:
        entry.before(device)
        deleting(EntityType.DEVICE, [device_id], device.tenant_id)
        announce(Event.ENTITY_DELETED, device)
        _announce(device)
        DeviceSession.objects.filter(device_id=device_id).delete()
        device.delete()


def take_leave(kind: EntityType, ids: Collection[uuid.UUID], tenant_id: uuid.UUID | None) -> None:
    """What devices do when something of a lower floor is about to be deleted: a tenant's devices go with it."""
    if kind is not EntityType.TENANT:
        return
    known = DeviceCredentials.objects.filter(device__tenant_id__in=ids)
    for device_id, lookup in known.values_list("device_id", "lookup"):
        announce_change(device_id, bytes(lookup))
    devices = Device.objects.filter(tenant_id__in=ids)
    deleting(EntityType.DEVICE, list(devices.values_list("pk", flat=True)), tenant_id)
    DeviceGroup.objects.filter(tenant_id__in=ids).delete()
    DeviceSession.objects.filter(device_id__in=devices.values("pk")).delete()
    devices.delete()
    profiles = DeviceProfile.objects.filter(tenant_id__in=ids)
    deleting(EntityType.DEVICE_PROFILE, list(profiles.values_list("pk", flat=True)), tenant_id)
    profiles.delete()


def _announce(device: Device) -> None:
    """Have transports drop what they know about the device, after commit."""
    for lookup in DeviceCredentials.objects.filter(device=device).values_list("lookup", flat=True):
        announce_change(device.pk, bytes(lookup))


def _seen_by_transports(device: Device) -> tuple[uuid.UUID, bool]:
    """What of a device decides how its messages are treated."""
    return device.profile_id, bool((device.additional_info or {}).get("gateway"))


def _fill(device: Device, fields: DeviceFields, unique: Uniquify | None) -> None:
    """Set all fields of a device and check them. Raises BadRequest."""
    if not fields.name.strip():
        raise BadRequest("Device name should be specified!")
    require_references(device.tenant_id, {"firmware_id": fields.firmware_id, "software_id": fields.software_id})
    device.name = fields.name.strip()
    if unique is not None:
        others = Device.objects.filter(tenant_id=device.tenant_id).exclude(pk=device.pk)
        device.name = unique.free_name(device.name, others, "name")
    device.label = fields.label
    device.profile = _profile(device.tenant_id, fields)
    device.device_data = fields.device_data or default_device_data()
    device.firmware_id = fields.firmware_id
    device.software_id = fields.software_id
    device.external_id = fields.external_id
    device.additional_info = fields.additional_info


def _profile(tenant_id: uuid.UUID, fields: DeviceFields) -> DeviceProfile:
    """The profile that `fields` asks for."""
    if fields.profile_id is not None:
        found = DeviceProfile.objects.filter(tenant_id=tenant_id, pk=fields.profile_id).first()
        if found is None:
            raise BadRequest(f"Device is referencing to non existing device profile: [{fields.profile_id}]")
        return found
    if fields.type.strip():
        return profile_by_name(tenant_id, fields.type.strip())
    return default_profile(tenant_id)
