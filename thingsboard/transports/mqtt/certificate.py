"""The server's certificate: read, checked, and read again when its files were renewed."""

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.conf import settings
from OpenSSL import SSL

from thingsboard.transports.mqtt.ports import has_certificate

log = logging.getLogger(__name__)

RECHECK_SECONDS = 10.0
# A certificate and its chain; OpenSSL's own bound for what the other side may send.
LONGEST_FILE = 100 * 1024

# What is wrong with a client's own certificate even though the database decides who it is (RFC 5280 names, OpenSSL's
# numbers): not valid yet, expired, and either date unreadable. ThingsBoard checks the same (`checkValidity`).
_OUT_OF_TIME = frozenset({9, 10, 13, 14})

State = tuple[tuple[int, int, int], ...]


class CertificateError(Exception):
    """The certificate or its key cannot be used; one line that names the setting."""


class Certificate:
    """A pair of PEM files, and the OpenSSL context made of them.

    Renewed files are taken up by the next connection, at most `recheck` seconds later, without a restart or a signal. While
    they cannot be used (one of the two is written already, the other one not yet), the old ones are served, which is
    logged once.
    """

    def __init__(
        self,
        certificate: Path,
        key: Path,
        password: str = "",
        *,
        recheck: float = RECHECK_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Read them. Raises CertificateError."""
        self._files, self._password = (certificate, key), password
        self._recheck, self._clock = recheck, clock
        self._state = self._look()
        self._context = _context(certificate, key, password)
        self._next = clock() + recheck

    def context(self) -> SSL.Context:
        """The context for a new connection."""
        if self._clock() >= self._next:
            self._next = self._clock() + self._recheck
            self._renew()
        return self._context

    def _renew(self) -> None:
        state = self._look()
        if state == self._state:
            return
        self._state = state
        try:
            self._context = _context(*self._files, self._password)
        except CertificateError as error:
            log.error("The renewed TLS certificate is not used: %s The old one stays.", error)
        else:
            log.info("The renewed TLS certificate is in use.")

    def _look(self) -> State:
        """What changes when the files do."""
        found = []
        for path in self._files:
            try:
                at = path.stat()
            except OSError:
                found.append((0, 0, 0))
            else:
                found.append((at.st_mtime_ns, at.st_ino, at.st_size))
        return tuple(found)


def own_certificate() -> Certificate | None:
    """The server's certificate, None when there is to be none. Raises CertificateError."""
    certificate, key = settings.TB_MQTT_SSL_CERT, settings.TB_MQTT_SSL_KEY
    if has_certificate():
        return Certificate(Path(certificate).expanduser(), Path(key).expanduser(), settings.TB_MQTT_SSL_KEY_PASSWORD)
    for there, missing in (("TB_MQTT_SSL_CERT", "TB_MQTT_SSL_KEY"), ("TB_MQTT_SSL_KEY", "TB_MQTT_SSL_CERT")):
        if getattr(settings, there):
            raise CertificateError(f"{there} is set, but not {missing}; expected both for TLS, or none of them.")
    if settings.TB_MQTT_WSS_PORT:
        raise CertificateError("TB_MQTT_WSS_PORT is set; expected TB_MQTT_SSL_CERT and TB_MQTT_SSL_KEY with it.")
    return None


def _context(certificate: Path, key: Path, password: str) -> SSL.Context:
    """TLS 1.2 and 1.3 with this certificate; a client may show one of its own. Raises CertificateError."""
    chain = _chain(certificate)
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_options(SSL.OP_NO_RENEGOTIATION | SSL.OP_NO_COMPRESSION | SSL.OP_CIPHER_SERVER_PREFERENCE)
    context.set_mode(SSL.MODE_RELEASE_BUFFERS)
    # A client may resume its session by a ticket, which it keeps itself; nothing is kept here.
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_session_id(b"thingsboard mqtt")
    context.set_verify(SSL.VERIFY_PEER, _acceptable)
    try:
        context.use_certificate(chain[0])
        for issuer in chain[1:]:
            context.add_extra_chain_cert(issuer)
    except SSL.Error:
        raise CertificateError(
            f"TB_MQTT_SSL_CERT={certificate}: OpenSSL does not take it; is its key too short?"
        ) from None
    try:
        context.use_privatekey(_key(key, password))
        context.check_privatekey()
    except SSL.Error:
        raise CertificateError(f"TB_MQTT_SSL_KEY={key} is not the key of TB_MQTT_SSL_CERT={certificate}.") from None
    return context


def _acceptable(_connection: SSL.Connection, _certificate: Any, error: int, depth: int, _ok: int) -> bool:
    """OpenSSL's finding about a client's certificate (depth 0) or its issuers: nobody vouches for it, and nobody needs to."""
    return depth > 0 or error not in _OUT_OF_TIME


def _chain(path: Path) -> list[x509.Certificate]:
    """The certificates of a PEM file, the server's own first. Raises CertificateError."""
    try:
        return x509.load_pem_x509_certificates(_read("TB_MQTT_SSL_CERT", path))
    except ValueError:
        raise CertificateError(
            f"TB_MQTT_SSL_CERT={path}: expected certificates in PEM form (-----BEGIN CERTIFICATE-----), the server's own first."
        ) from None


def _key(path: Path, password: str) -> Any:
    """The private key of a PEM file. Raises CertificateError."""
    data = _read("TB_MQTT_SSL_KEY", path)
    try:
        return load_pem_private_key(data, password.encode() or None)
    except TypeError:
        wrong = "is not encrypted; leave it empty" if password else "is needed: the key is encrypted"
        raise CertificateError(f"TB_MQTT_SSL_KEY={path}: TB_MQTT_SSL_KEY_PASSWORD {wrong}.") from None
    except (ValueError, UnsupportedAlgorithm):
        wrong = "and TB_MQTT_SSL_KEY_PASSWORD to be its password" if password else "(-----BEGIN PRIVATE KEY-----)"
        raise CertificateError(f"TB_MQTT_SSL_KEY={path}: expected a private key in PEM form {wrong}.") from None


def _read(setting: str, path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(LONGEST_FILE + 1)
    except OSError as error:
        raise CertificateError(f"{setting}={path} cannot be read ({error.strerror}).") from None
    if len(data) > LONGEST_FILE:
        raise CertificateError(f"{setting}={path} is larger than {LONGEST_FILE} bytes; expected a PEM file.")
    return data
