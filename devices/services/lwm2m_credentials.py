"""LWM2M_CREDENTIALS: checked as ThingsBoard checks them, and kept as data until there is a LwM2M server to use them."""

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_der_public_key

from devices.services.certificates import certificate_from_text
from devices.services.fingerprints import certificate_fingerprint
from thingsboard.kernel.errors import BadRequest

MODES = ("NO_SEC", "PSK", "RPK", "X509")
LONGEST_ID = 2_048  # bytes of UTF-8 of an endpoint or a PSK identity
LONGEST_KEY = 128  # hexadecimal digits

_INVALID = "Invalid credentials body for LwM2M credentials!"
_FRAME = re.compile(r"-----(BEGIN|END) [A-Z ]+-----|\s")


def lwm2m_credentials(text: str) -> tuple[str, str]:
    """The credentials id and the value to store, of a credentialsValue. Raises BadRequest with a sentence."""
    try:
        body = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise BadRequest(f"{_INVALID} Expected JSON text with 'client' and 'bootstrap'") from None
    if body is None:
        raise BadRequest("LwM2M credentials must be specified!")
    if not isinstance(body, dict):
        raise BadRequest(f"{_INVALID} Expected JSON text with 'client' and 'bootstrap'")
    if "\\u0000" in text:
        raise BadRequest(f"{_INVALID} It holds a NUL character")
    client = _object(body, "client", "LwM2M client credentials must be specified!")
    credentials_id = _client_id(client)
    if len(credentials_id.encode()) > LONGEST_ID:
        raise BadRequest(f"{_INVALID} Endpoint or identity has over {LONGEST_ID} bytes")
    bootstrap = _object(body, "bootstrap", "LwM2M bootstrap credentials must be specified!")
    for member, missing, server in (
        ("bootstrapServer", "LwM2M bootstrap server credentials must be specified!", "Bootstrap server"),
        ("lwm2mServer", "LwM2M lwm2m server credentials must be specified!", "LwM2M server"),
    ):
        _check_server(_object(bootstrap, member, missing), server)
    return credentials_id, orjson.dumps(body).decode()


def _client_id(client: Mapping[str, Any]) -> str:
    """Check the client's part; what its server will look it up by."""
    endpoint = _text(client, "endpoint")
    if not endpoint.strip():
        raise BadRequest("LwM2M client endpoint must be specified!")
    mode = _mode(client, "securityConfigClientMode")
    if mode == "PSK":
        identity = _text(client, "identity")
        if not identity.strip():
            raise BadRequest("LwM2M client PSK identity must be specified and must be an utf8 string!")
        if identity == "NO_SEC":
            raise BadRequest("The PSK ID of the LwM2M client must not be 'NO_SEC'!")
        _check_psk(_text(client, "key"), "LwM2M client PSK key")
        return identity
    if mode == "RPK":
        key = _text(client, "key")
        if not key.strip():
            raise BadRequest("LwM2M client RPK key must be specified!")
        _check_public_key(key, "LwM2M client RPK key")
    if mode == "X509" and (certificate := _text(client, "cert")):
        return certificate_fingerprint(certificate_from_text(certificate))
    return endpoint


def _check_server(server: Mapping[str, Any], name: str) -> None:
    """Check how the client signs in at one of its servers."""
    mode = _mode(server, "securityMode")
    if mode == "NO_SEC":
        return
    what = f"{name} client {mode}"
    public, secret = _text(server, "clientPublicKeyOrId"), _text(server, "clientSecretKey")
    if not public.strip():
        utf8 = " and must be an utf8 string" if mode == "PSK" else ""
        raise BadRequest(f"{what} public key or id must be specified{utf8}!")
    if mode == "PSK":
        if public == "NO_SEC":
            raise BadRequest(f"{what} public key or id must not be 'NO_SEC'!")
        _check_psk(secret, f"{what} key")
        return
    if mode == "RPK":
        _check_public_key(public, f"{what} public key or id")
    else:
        certificate_from_text(public)
    if not secret.strip():
        raise BadRequest(f"{what} secret key must be specified!")
    try:
        load_der_private_key(_decoded(secret), None)
    except (ValueError, TypeError):
        raise BadRequest(
            f"{what} secret key must be in PKCS#8 format (DER encoding, standard [RFC5958]) and then encoded to Base64 "
            "format!"
        ) from None


def _check_psk(key: str, what: str) -> None:
    if not key.strip():
        raise BadRequest(f"{what} must be specified!")
    if not re.fullmatch(r"[0-9a-fA-F]+", key):
        raise BadRequest(f"{what} must be random sequence in hex encoding!")
    if len(key) % 32 or len(key) > LONGEST_KEY:
        raise BadRequest(f"{what} length = {len(key)}. Key must be HexDec format: 32, 64, 128 characters!")


def _check_public_key(key: str, what: str) -> None:
    try:
        decoded = load_der_public_key(_decoded(key))
    except ValueError:
        decoded = None
    if not isinstance(decoded, EllipticCurvePublicKey):
        raise BadRequest(
            f"{what} must be in standard [RFC7250] and support only EC algorithm and then encoded to Base64 format!"
        )


def _decoded(key: str) -> bytes:
    """The bytes of PEM or base64. Raises ValueError."""
    try:
        return base64.b64decode(_FRAME.sub("", key), validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from None


def _mode(part: Mapping[str, Any], member: str) -> str:
    mode = part.get(member)
    if mode not in MODES:
        raise BadRequest(f"{_INVALID} '{member}' must be one of {', '.join(MODES)}")
    return str(mode)


def _object(part: Mapping[str, Any], member: str, missing: str) -> dict[str, Any]:
    found = part.get(member)
    if not isinstance(found, dict):
        raise BadRequest(missing)
    return found


def _text(part: Mapping[str, Any], member: str) -> str:
    found = part.get(member)
    if found is not None and not isinstance(found, str):
        raise BadRequest(f"{_INVALID} '{member}' is not a text")
    return found or ""
