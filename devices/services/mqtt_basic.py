"""MQTT_BASIC credentials: a client id, a user name, a password, in the combinations that ThingsBoard allows.

What a user saves is `BasicCredentials`; what a transport remembers of it is a `BasicProof`, which holds no clear text.
The rules are those of compat/device_transports.md 2.1 and 5.
"""

import enum
import hmac
import secrets
from typing import Any, NamedTuple, Self

import orjson

from devices.services.fingerprints import sha3_hex
from devices.services.reserved import PROVISION
from thingsboard.kernel.errors import BadRequest
from thingsboard.kernel.secrets import decrypt

# Bytes of UTF-8 of each of the three: together they fit into the largest CONNECT that is read.
LONGEST_PART = 2_048
MEMBERS = ("clientId", "userName", "password")

_INVALID = "Invalid credentials body for simple mqtt credentials!"
_EXPECTED = 'expected JSON text like {"clientId": "..", "userName": "..", "password": ".."}'

# Digests compare within this process only, so their key lives no longer than it.
_KEY = secrets.token_bytes(32)


class BasicCredentials(NamedTuple):
    """What a device signs in with; "" stands for what is not asked for."""

    client_id: str
    user_name: str
    password: str

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read and check a credentialsValue. Raises BadRequest with ThingsBoard's sentence and what was expected."""
        try:
            body = orjson.loads(text)
        except orjson.JSONDecodeError:
            raise BadRequest(f"{_INVALID} It is not JSON; {_EXPECTED}") from None
        if not isinstance(body, dict):
            raise BadRequest(f"{_INVALID} It is not an object; {_EXPECTED}")
        if unknown := sorted(set(body) - set(MEMBERS)):
            raise BadRequest(f"{_INVALID} Unknown member '{unknown[0][:40]}'; {_EXPECTED}")
        credentials = cls(*(_part(body, name) for name in MEMBERS))
        credentials._check()
        return credentials

    def to_json(self) -> str:
        """The credentialsValue as ThingsBoard stores it: every member, null where there is nothing."""
        return orjson.dumps({name: part or None for name, part in zip(MEMBERS, self, strict=True)}).decode()

    @property
    def credentials_id(self) -> str:
        """The user name where that is all, else a hash over client id and user name."""
        return sha3_hex(self.client_id, self.user_name) if self.client_id else self.user_name

    def _check(self) -> None:
        if not self.client_id and not self.user_name:
            raise BadRequest("Both mqtt client id and user name are empty!")
        if self.client_id and self.password and not self.user_name:
            raise BadRequest("Password cannot be specified along with client id")
        if PROVISION in (self.client_id, self.user_name):
            raise BadRequest(f"'{PROVISION}' is a reserved word: devices that are not known yet connect with it")


def _part(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadRequest(f"{_INVALID} '{name}' is not a text; {_EXPECTED}")
    if "\0" in value:
        raise BadRequest(f"{_INVALID} '{name}' holds a NUL character, which MQTT does not allow")
    if (size := len(value.encode())) > LONGEST_PART:
        raise BadRequest(f"{_INVALID} '{name}' has {size} bytes; expected at most {LONGEST_PART}")
    return value


class Verdict(enum.Enum):
    """How what a client says compares with the credentials."""

    VALID = enum.auto()
    OTHER_NAME = enum.auto()  # another client id or user name: these credentials are not meant
    WRONG_PASSWORD = enum.auto()


class BasicProof:
    """Compares what a client says with encrypted credentials.

    They are decrypted at the first question and never kept in the clear: what stays are keyed digests, None for what is
    not asked for.
    """

    __slots__ = ("_digests", "_sealed")

    def __init__(self, sealed: bytes) -> None:
        """`sealed` is the encrypted credentialsValue."""
        self._sealed: bytes | None = sealed
        self._digests: tuple[bytes | None, ...] = ()

    def verify(self, client_id: str, user_name: str, password: bytes) -> Verdict:
        """Compare, each part in constant time. ImproperlyConfigured when the credentials cannot be decrypted."""
        if self._sealed is not None:
            body = orjson.loads(decrypt(self._sealed))
            self._digests = tuple(_digest(body[name].encode()) if body.get(name) else None for name in MEMBERS)
            self._sealed = None
        said = (client_id.encode(), user_name.encode(), password)
        same = [
            wanted is None or hmac.compare_digest(wanted, _digest(part))
            for wanted, part in zip(self._digests, said, strict=True)
        ]
        if not (same[0] and same[1]):
            return Verdict.OTHER_NAME
        return Verdict.VALID if same[2] else Verdict.WRONG_PASSWORD


def _digest(part: bytes) -> bytes:
    return hmac.digest(_KEY, part, "sha256")
