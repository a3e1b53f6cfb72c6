"""The hashes that ThingsBoard uses as credentials ids (compat/device_transports.md 5)."""

import base64
import hashlib
import re

_PEM_FRAME = re.compile(r"-----BEGIN CERTIFICATE-----|-----END CERTIFICATE-----|[\r\n]")


def trimmed(text: str) -> str:
    """A text without PEM header, footer and line ends: what ThingsBoard hashes, whatever the text is."""
    return _PEM_FRAME.sub("", text)


def sha3_hex(*parts: str) -> str:
    """SHA3-256 in hexadecimal of the parts joined by "|"; empty parts are left out."""
    return hashlib.sha3_256(trimmed("|".join(filter(None, parts))).encode()).hexdigest()


def certificate_fingerprint(der: bytes) -> str:
    """The credentials id of a DER certificate: the SHA3-256 of its base64, which is the body of its PEM in one line."""
    return hashlib.sha3_256(base64.b64encode(der)).hexdigest()
