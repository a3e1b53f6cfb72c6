"""Who is behind a CONNECT: where to look, and what of it is believed (compat/device_transports.md 2.1). No network."""

from collections.abc import Mapping, Sequence

from devices.services.certificates import is_in_force
from devices.services.credentials import DeviceIdentity, lookup_of
from devices.services.fingerprints import certificate_fingerprint, sha3_hex
from devices.services.mqtt_basic import Verdict
from thingsboard.transports.mqtt import packets

Found = Mapping[bytes, DeviceIdentity | None]


class Refused(Exception):
    """A CONNECT is refused; `code` is the return code of CONNACK, `reason` a short code for counters, `identity` the device
    where it was recognised all the same.
    """

    def __init__(self, code: int, reason: str, identity: DeviceIdentity | None = None) -> None:
        super().__init__(reason)
        self.code, self.reason, self.identity = code, reason, identity


class ByCertificate:
    """A client that proved to TLS that it owns a certificate (DER); nothing else that it says counts."""

    def __init__(self, certificate: bytes) -> None:
        self._certificate = certificate
        self.lookups: Sequence[bytes] = (lookup_of(certificate_fingerprint(certificate)),)

    def choose(self, found: Found) -> DeviceIdentity:
        """Its device. Raises Refused."""
        identity = found[self.lookups[0]]
        if identity is None or identity.credentials_type != "X509_CERTIFICATE":
            raise Refused(packets.NOT_AUTHORIZED, "unknown_certificate")
        if not is_in_force(self._certificate):
            raise Refused(packets.NOT_AUTHORIZED, "expired_certificate", identity)
        return identity


class ByName:
    """A client with a client id, a user name, a password, as far as it says them."""

    def __init__(self, client_id: str, user: str | None, password: bytes | None) -> None:
        """Raises Refused when there is nothing to look for."""
        self._client_id, self._user, self._password = client_id, user or "", password or b""
        self._says_nothing = user is None and password is None
        if not self._user and not client_id:
            raise self._refusal()
        # Both names together go first; an access token, or a user name without a client id, is looked up as it is.
        both = lookup_of(sha3_hex(client_id, self._user))
        self.lookups: Sequence[bytes] = (both, lookup_of(self._user)) if self._user else (both,)

    def choose(self, found: Found) -> DeviceIdentity:
        """Its device. Raises Refused."""
        both, *alone = (found[lookup] for lookup in self.lookups)
        verdict = self._verdict(both)
        if both is not None and verdict is Verdict.VALID:
            return both
        if verdict is Verdict.OTHER_NAME and alone and alone[0] is not None:
            identity = alone[0]
            if identity.credentials_type == "ACCESS_TOKEN" or self._verdict(identity) is Verdict.VALID:
                return identity
        raise self._refusal()

    def _verdict(self, identity: DeviceIdentity | None) -> Verdict:
        if identity is None or identity.proof is None:
            return Verdict.OTHER_NAME
        return identity.proof.verify(self._client_id, self._user, self._password)

    def _refusal(self) -> Refused:
        """The words depend on what the client brought, not on what was wrong with it."""
        if not self._says_nothing:
            return Refused(packets.NOT_AUTHORIZED, "wrong_token")
        if self._client_id.strip():
            return Refused(packets.BAD_IDENTIFIER, "unknown_client_id")
        return Refused(packets.NOT_AUTHORIZED, "no_token")
