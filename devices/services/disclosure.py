"""Showing somebody what a device proves its identity with: an act of its own, in the audit log."""

from typing import Any

from django.db import transaction

from devices.models import Device, DeviceCredentials
from tenants.models import ActionType
from tenants.services import audit
from thingsboard.kernel.entities import not_found
from thingsboard.kernel.ids import EntityType


@transaction.atomic
def disclose_credentials(device: Device, user: Any) -> DeviceCredentials:
    """The credentials of a device, for a user who sees it. Raises NotFound where its credentials are not the user's to
    see; that is not written down, because nothing was shown.
    """
    found: DeviceCredentials | None = DeviceCredentials.objects.visible_to(user).filter(device=device).first()
    if found is None:
        raise not_found(EntityType.DEVICE, device.pk)
    audit.record(ActionType.CREDENTIALS_READ, EntityType.DEVICE, device)
    return found
