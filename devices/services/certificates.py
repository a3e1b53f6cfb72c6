"""Certificates of devices, as users paste them and as TLS presents them."""

import base64
import binascii
from datetime import UTC, datetime

from cryptography import x509

from devices.services.fingerprints import trimmed
from thingsboard.kernel.errors import BadRequest
from thingsboard.kernel.time import now_ms

LONGEST_CERTIFICATE = 16_384  # characters of PEM or base64; RSA with 8192 bits takes about 3,000


def certificate_from_text(text: str) -> bytes:
    """The DER of one certificate given as PEM or as bare base64. Raises BadRequest with a sentence."""
    if not text.strip():
        raise BadRequest("The certificate is missing; expected a PEM or base64 X.509 certificate in credentialsValue")
    if len(text) > LONGEST_CERTIFICATE:
        raise BadRequest(f"The certificate has {len(text)} characters; expected at most {LONGEST_CERTIFICATE}")
    if text.count("-----BEGIN CERTIFICATE-----") > 1:
        raise BadRequest("Expected the certificate of the device alone, not a chain of certificates")
    try:
        der = base64.b64decode("".join(trimmed(text).split()), validate=True)
        x509.load_der_x509_certificate(der)
    except (binascii.Error, ValueError):
        raise BadRequest(
            "credentialsValue is not an X.509 certificate; expected PEM, or the base64 of its DER"
        ) from None
    return der


def is_in_force(der: bytes) -> bool:
    """Whether the present lies within the validity of a DER certificate; False also for what cannot be read."""
    try:
        certificate = x509.load_der_x509_certificate(der)
    except ValueError:
        return False
    now = datetime.fromtimestamp(now_ms() / 1000, UTC)
    return certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc
