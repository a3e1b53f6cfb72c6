"""Writes of device profiles."""

import uuid
from typing import Any

from django.db import transaction

from devices.models import Device, DeviceProfile
from devices.models.profile import ProvisionType, TransportType
from devices.services import profile_news
from devices.services.events import announce
from devices.services.references import REFERENCES, require_references
from tenants.models import ActionType
from tenants.services import audit
from tenants.services.events import Event
from thingsboard.kernel import entities
from thingsboard.kernel.constraints import refusing
from thingsboard.kernel.errors import BadRequest, VersionConflict
from thingsboard.kernel.ids import EntityType

DEFAULT_PROFILE = "default"
NAME_TAKEN = {
    "device_profile_name": "Device profile with such name already exists!",
    "devices_deviceprofile_provision_device_key_key": "Device profile with such provision device key already exists!",
}


def default_profile_data() -> dict[str, Any]:
    """ThingsBoard's profileData of a plain profile."""
    return {
        "configuration": {"type": "DEFAULT"},
        "transportConfiguration": {"type": "DEFAULT"},
        "provisionConfiguration": {"type": "DISABLED", "provisionDeviceSecret": None},
        "alarms": None,
    }


@transaction.atomic
def create_profile(tenant_id: uuid.UUID, name: str, **fields: Any) -> DeviceProfile:
    """A profile of the tenant.

    Raises BadRequest for an empty or taken name and for references to what does not exist.
    """
    profile = DeviceProfile(tenant_id=tenant_id, name=name.strip(), **fields)
    with audit.deed(ActionType.ADDED, EntityType.DEVICE_PROFILE, profile) as entry:
        _check(profile)
        with refusing(NAME_TAKEN):
            profile.save(force_insert=True)
        profile_news.tell(profile)
        entry.after(profile)
        announce(Event.ENTITY_CREATED, profile)
    return profile


@transaction.atomic
def update_profile(profile: DeviceProfile, name: str, *, version: int | None = None, **fields: Any) -> DeviceProfile:
    """Replace everything that `fields` says. Raises as `create_profile`, and VersionConflict."""
    profile = DeviceProfile.objects.select_for_update(of=("self",)).get(pk=profile.pk)
    if version is not None and version != profile.version:
        raise VersionConflict("The device profile was changed by someone else: read it again and repeat the change.")
    with audit.deed(ActionType.UPDATED, EntityType.DEVICE_PROFILE, profile) as entry:
        entry.before(profile)
        before = profile_news.columns_of(profile)
        for member, value in {**fields, "name": name.strip()}.items():
            setattr(profile, member, value)
        _check(profile)
        profile.version += 1
        with refusing(NAME_TAKEN):
            profile.save()
        profile_news.tell(profile, before)
        entry.after(profile)
        announce(Event.ENTITY_UPDATED, profile)
    return profile


@transaction.atomic
def delete_profile(profile: DeviceProfile) -> None:
    """Delete it. Raises BadRequest while devices have it, and for the default one."""
    if profile.is_default:
        raise BadRequest("Deletion of Default Device Profile is prohibited!")
    if Device.objects.filter(profile=profile).exists():
        raise BadRequest("The device profile referenced by the devices cannot be deleted!")
    with audit.deed(ActionType.DELETED, EntityType.DEVICE_PROFILE, profile) as entry:
        entry.before(profile)
        entities.deleting(EntityType.DEVICE_PROFILE, [profile.pk], profile.tenant_id)
        announce(Event.ENTITY_DELETED, profile)
        profile.delete()


@transaction.atomic
def set_default_profile(profile: DeviceProfile) -> DeviceProfile:
    """Make it the profile of the tenant's devices for which none is chosen."""
    of_tenant = DeviceProfile.objects.select_for_update(of=("self",)).filter(tenant_id=profile.tenant_id)
    with audit.deed(ActionType.UPDATED, EntityType.DEVICE_PROFILE, profile) as entry:
        entry.before(profile)
        for other in of_tenant.filter(is_default=True).exclude(pk=profile.pk):
            other.is_default = False
            other.save(update_fields=["is_default"])
            announce(Event.ENTITY_UPDATED, other)
        profile.is_default = True
        profile.save(update_fields=["is_default"])
        entry.after(profile)
        announce(Event.ENTITY_UPDATED, profile)
    return profile


def _check(profile: DeviceProfile) -> None:
    """Raise BadRequest unless it can be a profile; put in what was left out."""
    if not profile.name:
        raise BadRequest("Device profile name should be specified!")
    if profile.type != "DEFAULT":
        raise BadRequest("type: expected DEFAULT")
    for member, known in (("transport_type", TransportType), ("provision_type", ProvisionType)):
        if getattr(profile, member) not in known:
            raise BadRequest(f"{member}: expected one of {', '.join(known)}")
    profile.profile_data = profile.profile_data or default_profile_data()
    require_references(profile.tenant_id, {member: getattr(profile, member) for member in REFERENCES})


def default_profile(tenant_id: uuid.UUID) -> DeviceProfile:
    """The profile of devices for which none was chosen; made for a new tenant."""
    found = DeviceProfile.objects.filter(tenant_id=tenant_id, is_default=True).first()
    if found is not None:
        return found
    made, _ = DeviceProfile.objects.get_or_create(
        tenant_id=tenant_id,
        name=DEFAULT_PROFILE,
        defaults={
            "is_default": True,
            "description": "Default device profile",
            "profile_data": default_profile_data(),
        },
    )
    return made


def profile_by_name(tenant_id: uuid.UUID, name: str) -> DeviceProfile:
    """The tenant's profile of that name, made when there is none: a device's `type` (compat/data_model.md 5)."""
    found, made = DeviceProfile.objects.get_or_create(
        tenant_id=tenant_id, name=name, defaults={"profile_data": default_profile_data()}
    )
    if made:
        audit.record(ActionType.ADDED, EntityType.DEVICE_PROFILE, found, audit.snapshot(found))
        announce(Event.ENTITY_CREATED, found)
    return found
