"""What devices prove their identity with: giving and changing it. Finding a device by it is in identity.py."""

import secrets
import string
import uuid

from django.db import transaction

from devices.models import CredentialsType, Device, DeviceCredentials
from devices.services.identity import LOOKUP_SQL, DeviceIdentity, identities, lookup_of
from devices.services.reserved import RESERVED_TOKENS
from thingsboard.kernel import bus
from thingsboard.kernel.constraints import refusing
from thingsboard.kernel.errors import BadRequest, VersionConflict
from thingsboard.kernel.secrets import encrypt

__all__ = [
    "CREDENTIALS_CHANGED",
    "LOOKUP_SQL",
    "RESERVED_TOKENS",
    "DeviceIdentity",
    "announce_change",
    "identities",
    "lookup_of",
    "random_token",
    "update_credentials",
]

# Bus channel that tells transports to forget a token and to close its sessions:
# {"deviceId": "<uuid>", "lookup": "<hex of the lookup that is no longer valid>"}.
CREDENTIALS_CHANGED = "credentials"

LONGEST_TOKEN = 32
_ALPHABET = string.ascii_letters + string.digits

_TAKEN = {"devices_devicecredentials_lookup_key": "Device credentials are already assigned to another device!"}


def random_token() -> str:
    """A fresh access token: 20 alphanumerics, 119 bits."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(20))


def create_credentials(device: Device, token: str | None) -> DeviceCredentials:
    """The credentials of a new device: this access token, or a random one. Raises BadRequest."""
    token = token or random_token()
    require_token(token)
    with refusing(_TAKEN):
        return DeviceCredentials.objects.create(
            device=device,
            credentials_type=CredentialsType.ACCESS_TOKEN,
            lookup=lookup_of(token),
            encrypted_id=encrypt(token),
        )


@transaction.atomic
def update_credentials(
    device: Device, credentials_type: str, credentials_id: str, *, version: int | None = None
) -> DeviceCredentials:
    """Replace a device's credentials; sessions under the old ones are closed after commit.

    Raises BadRequest for another type than ACCESS_TOKEN (not supported yet), for a token that cannot be one and for one
    that is taken anywhere on the platform, VersionConflict when `version` is not the present one.
    """
    require_type(credentials_type)
    require_token(credentials_id)
    credentials = DeviceCredentials.objects.select_for_update().get(device=device)
    if version is not None and version != credentials.version:
        raise VersionConflict("The device credentials were changed by someone else: read them again.")
    old = bytes(credentials.lookup)
    credentials.credentials_type = credentials_type
    credentials.lookup = lookup_of(credentials_id)
    credentials.encrypted_id = encrypt(credentials_id)
    credentials.encrypted_value = None
    credentials.version += 1
    with refusing(_TAKEN):
        credentials.save()
    if old != credentials.lookup:
        announce_change(device.pk, old)
    return credentials


def announce_change(device_id: uuid.UUID, lookup: bytes) -> None:
    """After commit, tell every transport to forget the lookup and to close the device's sessions."""
    payload = {"deviceId": str(device_id), "lookup": lookup.hex()}
    transaction.on_commit(lambda: bus.publish(CREDENTIALS_CHANGED, payload))


def require_type(credentials_type: str) -> None:
    """Raise BadRequest for a type that is unknown or not supported yet."""
    if credentials_type not in CredentialsType.values:
        expected = ", ".join(CredentialsType.values)
        raise BadRequest(f"Unknown credentialsType '{str(credentials_type)[:40]}'; expected one of {expected}")
    if credentials_type != CredentialsType.ACCESS_TOKEN:
        raise BadRequest(f"Credentials of type {credentials_type} are not supported yet; expected ACCESS_TOKEN")


def require_token(token: str) -> None:
    """Raise BadRequest for what cannot be an access token: it stands in URL paths and MQTT user names."""
    if not 1 <= len(token) <= LONGEST_TOKEN:
        raise BadRequest(f"The access token has {len(token)} characters; expected 1 to {LONGEST_TOKEN}")
    if not token.isprintable() or "/" in token or any(character.isspace() for character in token):
        raise BadRequest("The access token holds a blank, a slash or an unprintable character")
    if token in RESERVED_TOKENS:
        raise BadRequest(f"'{token}' is a reserved word and cannot be an access token")
