"""The four kinds of credentials: what each must look like, and by which id it is found (compat/device_transports.md 5)."""

import base64
from collections.abc import Callable
from typing import NamedTuple

from devices.models import CredentialsType
from devices.services.certificates import certificate_from_text
from devices.services.fingerprints import certificate_fingerprint
from devices.services.lwm2m_credentials import lwm2m_credentials
from devices.services.mqtt_basic import BasicCredentials
from devices.services.reserved import RESERVED_TOKENS
from thingsboard.kernel.errors import BadRequest

LONGEST_TOKEN = 32
LONGEST_VALUE = 65_536  # characters


class Given(NamedTuple):
    """Credentials as a caller names them; the id counts for access tokens only, the value for all other kinds."""

    type: str
    id: str = ""
    value: str = ""


class Evidence(NamedTuple):
    """Checked credentials as they are stored: `id` is what they are found by, unique on the platform."""

    id: str
    value: str | None


def evidence_of(given: Given) -> Evidence:
    """Check credentials of any kind. Raises BadRequest with a sentence."""
    if not given.type:
        raise BadRequest("Device credentials type should be specified")
    kind = _KINDS.get(given.type)
    if kind is None:
        raise BadRequest(f"Unknown credentialsType '{given.type[:40]}'; expected one of {', '.join(_KINDS)}")
    if len(given.value) > LONGEST_VALUE:
        raise BadRequest(f"credentialsValue has {len(given.value)} characters; expected at most {LONGEST_VALUE}")
    return kind(given)


def _access_token(given: Given) -> Evidence:
    """Raise BadRequest for what cannot be an access token: it stands in URL paths and MQTT user names."""
    token = given.id
    if not 1 <= len(token) <= LONGEST_TOKEN:
        raise BadRequest(f"The access token has {len(token)} characters; expected 1 to {LONGEST_TOKEN}")
    if not token.isprintable() or "/" in token or any(character.isspace() for character in token):
        raise BadRequest("The access token holds a blank, a slash or an unprintable character")
    if token in RESERVED_TOKENS:
        raise BadRequest(f"'{token}' is a reserved word and cannot be an access token")
    return Evidence(token, None)


def _mqtt_basic(given: Given) -> Evidence:
    """No path ever holds these names, so only that of provisioning is reserved."""
    credentials = BasicCredentials.from_json(given.value)
    return Evidence(credentials.credentials_id, credentials.to_json())


def _certificate(given: Given) -> Evidence:
    """The value is base64 in one line, whatever it was pasted as."""
    der = certificate_from_text(given.value)
    return Evidence(certificate_fingerprint(der), base64.b64encode(der).decode())


def _lwm2m(given: Given) -> Evidence:
    return Evidence(*lwm2m_credentials(given.value))


_KINDS: dict[str, Callable[[Given], Evidence]] = {
    CredentialsType.ACCESS_TOKEN: _access_token,
    CredentialsType.X509_CERTIFICATE: _certificate,
    CredentialsType.MQTT_BASIC: _mqtt_basic,
    CredentialsType.LWM2M_CREDENTIALS: _lwm2m,
}
