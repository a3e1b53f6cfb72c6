"""With what a node shows itself to others, as ThingsBoard saves it: nothing, a name with a password, or a certificate."""

import base64
import ssl

from rules.node.config import Config
from thingsboard.kernel.outgoing import tls


class Anonymous(Config, frozen=True, tag_field="type", tag="anonymous"):
    """With nothing."""


class Basic(Config, frozen=True, tag_field="type", tag="basic"):
    """With a name and a password."""

    username: str = ""
    password: str = ""

    @property
    def header(self) -> str:
        """As HTTP's Authorization has it (RFC 7617)."""
        return "Basic " + base64.b64encode(f"{self.username}:{self.password}".encode()).decode()


class Certificate(Config, frozen=True, tag_field="type", tag="cert.PEM"):
    """With a certificate, each member PEM text or empty; `ca_cert`: whom to trust instead of the system's authorities."""

    ca_cert: str | None = None
    cert: str | None = None
    private_key: str | None = None
    password: str | None = None


Credentials = Anonymous | Basic | Certificate
ANONYMOUS = Anonymous()


def tls_context(credentials: Credentials) -> ssl.SSLContext:
    """The TLS of a client with these. Raises ValueError with a sentence."""
    if not isinstance(credentials, Certificate):
        return tls.context()
    return tls.context(
        authorities=credentials.ca_cert or "",
        certificate=credentials.cert or "",
        key=credentials.private_key or "",
        password=credentials.password or "",
    )


def shown(credentials: Credentials) -> dict[str, str]:
    """What may be told of them."""
    if isinstance(credentials, Basic):
        return {"type": "basic", "username": credentials.username}
    return {"type": "cert.PEM" if isinstance(credentials, Certificate) else "anonymous"}
