"""What devices prove their identity with: giving and changing it. Finding a device by it is in identity.py."""

import secrets
import string
import uuid

from django.db import transaction

from devices.models import CredentialsType, Device, DeviceCredentials
from devices.services.credential_kinds import Evidence, Given, evidence_of
from devices.services.identity import LOOKUP_SQL, DeviceIdentity, identities, lookup_of
from devices.services.reserved import RESERVED_TOKENS
from tenants.models import ActionType
from tenants.services import audit
from thingsboard.kernel import bus
from thingsboard.kernel.constraints import refusing
from thingsboard.kernel.errors import VersionConflict
from thingsboard.kernel.ids import EntityType
from thingsboard.kernel.secrets import encrypt

__all__ = [
    "CREDENTIALS_CHANGED",
    "LOOKUP_SQL",
    "RESERVED_TOKENS",
    "DeviceIdentity",
    "Given",
    "announce_change",
    "identities",
    "lookup_of",
    "random_token",
    "update_credentials",
]

# Bus channel that tells transports to forget credentials and to close their sessions:
# {"deviceId": "<uuid>", "lookup": "<hex of the lookup of which nothing that was known is valid any more>"}.
CREDENTIALS_CHANGED = "credentials"

_ALPHABET = string.ascii_letters + string.digits

_TAKEN = {"devices_devicecredentials_lookup_key": "Device credentials are already assigned to another device!"}


def random_token() -> str:
    """A fresh access token: 20 alphanumerics, 119 bits."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(20))


def create_credentials(device: Device, given: Given) -> DeviceCredentials:
    """The credentials of a new device; an access token that is not named is made. Raises BadRequest."""
    if given.type == CredentialsType.ACCESS_TOKEN and not given.id:
        given = given._replace(id=random_token())
    credentials = DeviceCredentials(device=device)
    _put(credentials, given.type, evidence_of(given))
    with refusing(_TAKEN):
        credentials.save(force_insert=True)
    return credentials


@transaction.atomic
def update_credentials(
    device: Device,
    credentials_type: str,
    credentials_id: str = "",
    credentials_value: str = "",
    *,
    version: int | None = None,
) -> DeviceCredentials:
    """Replace a device's credentials; sessions under the old ones are closed after commit, also when only a password
    differs. Saving what is there already changes nothing.

    An id counts for ACCESS_TOKEN alone, a value for the other kinds (credential_kinds.py). Raises BadRequest for what
    cannot be credentials and for what is taken anywhere on the platform, VersionConflict when `version` is not the
    present one.
    """
    evidence = evidence_of(Given(credentials_type, credentials_id, credentials_value))
    credentials = DeviceCredentials.objects.select_for_update().get(device=device)
    if version is not None and version != credentials.version:
        raise VersionConflict("The device credentials were changed by someone else: read them again.")
    old = bytes(credentials.lookup)
    if (credentials.credentials_type, old) == (credentials_type, lookup_of(evidence.id)) and (
        credentials.credentials_value == evidence.value
    ):
        return credentials
    with audit.deed(ActionType.CREDENTIALS_UPDATED, EntityType.DEVICE, device) as entry:
        entry.before(credentials)
        _put(credentials, credentials_type, evidence)
        credentials.version += 1
        with refusing(_TAKEN):
            credentials.save()
        entry.after(audit.snapshot(credentials))  # secrets as asterisks
    announce_change(device.pk, old)
    return credentials


def _put(credentials: DeviceCredentials, credentials_type: str, evidence: Evidence) -> None:
    credentials.credentials_type = credentials_type
    credentials.lookup = lookup_of(evidence.id)
    credentials.encrypted_id = encrypt(evidence.id)
    credentials.encrypted_value = None if evidence.value is None else encrypt(evidence.value)


def announce_change(device_id: uuid.UUID, lookup: bytes) -> None:
    """After commit, tell every transport to forget the lookup and to close the device's sessions."""
    payload = {"deviceId": str(device_id), "lookup": lookup.hex()}
    transaction.on_commit(lambda: bus.publish(CREDENTIALS_CHANGED, payload))
