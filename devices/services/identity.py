"""Whose credentials are these? The bulk look-up of every transport's connect path: pure SQL and pure functions, no ORM.

An asyncio connection of a transport gathers the misses of some milliseconds and asks once:

    cursor = await connection.execute(LOOKUP_SQL, [[lookup_of(token) for token in tokens]])
    found = identities(await cursor.fetchall())
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from devices.services.mqtt_basic import BasicProof
from thingsboard.kernel.secrets import lookup_hash

# One parameter: a list of 32-byte lookups (bytea[]). The columns are DeviceIdentity's fields, in its order.
LOOKUP_SQL = """
    SELECT c.lookup, c.credentials_type, d.tenant_id, d.id, d.name, p.id, p.name, p.transport_type,
           coalesce(d.additional_info ->> 'gateway', '') = 'true',
           c.version, CASE c.credentials_type WHEN 'MQTT_BASIC' THEN c.encrypted_value END
    FROM devices_devicecredentials c
    JOIN devices_device d ON d.id = c.device_id
    JOIN devices_deviceprofile p ON p.id = d.profile_id
    WHERE c.lookup = ANY(%s::bytea[])
"""


@dataclass(frozen=True, slots=True)
class DeviceIdentity:
    """What a transport knows about a device that has proved who it is. `lookup` is the key of its cache entry."""

    lookup: bytes
    credentials_type: str
    tenant_id: uuid.UUID
    device_id: uuid.UUID
    device_name: str
    profile_id: uuid.UUID
    profile_name: str
    transport_type: str
    is_gateway: bool
    version: int = 1  # of the credentials: it rises with every change, also of a password alone
    proof: BasicProof | None = field(default=None, compare=False)  # of MQTT_BASIC credentials

    @classmethod
    def from_row(cls, row: Sequence[Any]) -> Self:
        """One row of LOOKUP_SQL."""
        sealed = row[-1]
        fields = [bytes(row[0]), *row[1:-1], None if sealed is None else BasicProof(bytes(sealed))]
        return cls(*fields)


def lookup_of(credentials_id: str) -> bytes:
    """The 32 bytes under which a credentials id (an access token, a user name, a hash) is found."""
    return lookup_hash(credentials_id)


def identities(rows: Iterable[Sequence[Any]]) -> dict[bytes, DeviceIdentity]:
    """The rows of LOOKUP_SQL by their lookup; a lookup that found nobody is missing."""
    return {found.lookup: found for found in map(DeviceIdentity.from_row, rows)}
