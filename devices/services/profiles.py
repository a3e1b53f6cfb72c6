"""Writes of device profiles."""

import uuid
from typing import Any

from django.db import transaction

from devices.models import DeviceProfile
from thingsboard.kernel import entities
from thingsboard.kernel.constraints import refusing
from thingsboard.kernel.errors import BadRequest
from thingsboard.kernel.ids import EntityId, EntityType

DEFAULT_PROFILE = "default"
NAME_TAKEN = {"device_profile_name": "Device profile with such name already exists!"}

# Members that name entities of higher floors, which only the kernel's door knows.
_REFERENCES = {
    "default_rule_chain_id": EntityType.RULE_CHAIN,
    "default_edge_rule_chain_id": EntityType.RULE_CHAIN,
    "default_dashboard_id": EntityType.DASHBOARD,
    "firmware_id": EntityType.OTA_PACKAGE,
    "software_id": EntityType.OTA_PACKAGE,
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
    if not name.strip():
        raise BadRequest("Device profile name should be specified!")
    require_references(tenant_id, fields)
    fields.setdefault("profile_data", default_profile_data())
    with refusing(NAME_TAKEN):
        return DeviceProfile.objects.create(tenant_id=tenant_id, name=name.strip(), **fields)


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
    found, _ = DeviceProfile.objects.get_or_create(
        tenant_id=tenant_id, name=name, defaults={"profile_data": default_profile_data()}
    )
    return found


def require_references(tenant_id: uuid.UUID, fields: dict[str, Any]) -> None:
    """Raise BadRequest when a rule chain, dashboard or package that `fields` names is not the tenant's."""
    for member, kind in _REFERENCES.items():
        target = fields.get(member)
        if target is not None and not entities.exists(EntityId(kind, target), tenant_id):
            title = kind.value.replace("_", " ").lower()
            raise BadRequest(f"Can't assign a non-existent {title}: [{target}]")
