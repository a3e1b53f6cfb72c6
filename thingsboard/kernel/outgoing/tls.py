"""TLS to others: what is trusted, and with which certificate we answer."""

import ssl
import tempfile
from typing import Any


def context(
    *,
    authorities: str = "",
    certificate: str = "",
    key: str = "",
    password: str = "",
    lowest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2,
) -> ssl.SSLContext:
    """A client's context that checks names and certificates. All PEM text: `authorities` are those to trust instead of the
    system's, `certificate` and `key` what we show where we are asked. Raises ValueError with a sentence.
    """
    try:
        made = ssl.create_default_context(cadata=_pem(authorities) or None)
    except (ssl.SSLError, ValueError):
        raise ValueError("The certificate of the authority is not PEM.") from None
    made.minimum_version = lowest
    if certificate and key:
        _show(made, _pem(certificate), _pem(key), password)
    return made


def for_name(made: ssl.SSLContext, name: str) -> ssl.SSLContext:
    """For libraries that are given an address which was checked, and would ask the server for a certificate of that address."""
    named = _Named(ssl.PROTOCOL_TLS_CLIENT)
    named.name, named.made = name, made
    return named


def is_why(error: BaseException | None) -> bool:
    """Whether TLS is at the bottom of an error: trying again would change nothing."""
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False


class _Named(ssl.SSLContext):
    name: str
    made: ssl.SSLContext

    def wrap_socket(self, sock: Any, *args: Any, **options: Any) -> ssl.SSLSocket:
        wrapped = self.made.wrap_socket(sock, *args, **{**options, "server_hostname": self.name})
        try:
            wrapped.do_handshake()  # here, because not every library closes what it could not use
        except BaseException:
            wrapped.close()
            raise
        return wrapped


def _show(made: ssl.SSLContext, certificate: str, key: str, password: str) -> None:
    from cryptography.hazmat.primitives import serialization as pem

    try:
        private = pem.load_pem_private_key(key.encode(), password.encode() if password else None)
    except (ValueError, TypeError) as error:
        raise ValueError(f"The private key cannot be used: {error}") from None
    plain = private.private_bytes(pem.Encoding.PEM, pem.PrivateFormat.PKCS8, pem.NoEncryption())
    # OpenSSL reads them from files alone: those of nobody else, for as long as that takes.
    with tempfile.NamedTemporaryFile("w+b") as file:
        file.write(certificate.encode() + b"\n" + plain)
        file.flush()
        try:
            made.load_cert_chain(file.name, password=_nothing)
        except ssl.SSLError as error:
            raise ValueError(
                f"The certificate cannot be used, or is not that of the private key: {error.reason}"
            ) from None


def _pem(text: str) -> str:
    """As forms save it: a line's end may be written as a backslash and an n."""
    return text.replace("\\n", "\n").strip()


def _nothing() -> str:
    return ""  # or OpenSSL asks whoever sits at the terminal
