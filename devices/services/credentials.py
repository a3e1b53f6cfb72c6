"""What devices prove their identity with: giving, changing and finding it."""

from devices.services.identity import LOOKUP_SQL, DeviceIdentity, identities, lookup_of

__all__ = ["CREDENTIALS_CHANGED", "LOOKUP_SQL", "DeviceIdentity", "identities", "lookup_of"]

# Bus channel that tells transports to forget a token and to close its sessions:
# {"deviceId": "<uuid>", "lookup": "<hex of the lookup that is no longer valid>"}.
CREDENTIALS_CHANGED = "credentials"
