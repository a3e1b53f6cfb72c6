"""Showing what a device proves its identity with: to somebody, as an act of its own in the audit log; and to a rule chain of
its tenant, where that the chain asks for it was written down when it was saved.
"""

import uuid
from collections.abc import Collection
from typing import Any, Final, NamedTuple

import psycopg
from django.db import transaction

from devices.models import Device, DeviceCredentials
from tenants.models import ActionType
from tenants.services import audit
from thingsboard.kernel.entities import not_found
from thingsboard.kernel.ids import EntityType
from thingsboard.kernel.secrets import decrypt

_OF_TENANT: Final = """
    SELECT d.id, c.credentials_type, c.encrypted_id, c.encrypted_value
    FROM devices_device d JOIN devices_devicecredentials c ON c.device_id = d.id
    WHERE d.tenant_id = %s AND d.id = ANY(%s)
"""


class Disclosed(NamedTuple):
    """Credentials in the clear; `value` is None for an access token, which is the id."""

    type: str
    id: str
    value: str | None


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


def credentials_of_many(
    connection: "psycopg.Connection[Any]", tenant_id: uuid.UUID, devices: Collection[uuid.UUID]
) -> dict[uuid.UUID, Disclosed]:
    """The credentials of devices of a tenant, for its rule chains; what is not its device is left out. One statement."""
    rows = psycopg.Cursor(connection).execute(_OF_TENANT, [tenant_id, list(devices)])
    return {
        device: Disclosed(kind, decrypt(id), None if value is None else decrypt(value))
        for device, kind, id, value in rows
    }
