"""The mail that the node "to email" makes of a message, and the server that takes it: as ThingsBoard saves both."""

import base64
import binascii
import mimetypes
import re
import uuid
from collections.abc import Mapping
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate, getaddresses
from typing import Any, Final, NamedTuple

from rules.node.config import Config
from thingsboard.kernel.outgoing.tunnel import Proxy

TIMEOUT_MS, LONGEST_TIMEOUT_MS = 10_000, 50_000
_POLICY: Final = policy.SMTP.clone(cte_type="7bit")  # not every server takes more
RECIPIENTS: Final = 500  # of one mail, in all
# Control characters, and what some programs take for the end of a line.
_BREAKS: Final = re.compile("[\x00-\x1f\x7f\x85\u2028\u2029]")
_DATA_URL: Final = re.compile(r"data:(image/[^;,]*);base64,?")
_ADDRESS: Final = re.compile(r"[^\s@<>\x00-\x1f,;:\"\\]+@[^\s@<>\x00-\x1f,;:\"\\]+")


class Email(Config, frozen=True, rename=None):
    """What a SEND_EMAIL message says: addresses separated by commas, images (by content id) in base64 or as data URLs."""

    to: str = ""
    from_: str = ""
    cc: str = ""
    bcc: str = ""
    subject: str = ""
    body: str = ""
    html: bool = False
    images: dict[str, str] = {}

    @classmethod
    def of(cls, members: Mapping[str, Any]) -> "Email":
        """Raises ValueError with a sentence."""
        return cls.read({("from_" if name == "from" else name): value for name, value in members.items()})


class MailServer(Config, frozen=True):
    """By which server mail is sent, as ThingsBoard saves it."""

    smtp_host: str = "localhost"
    smtp_port: int = 25
    username: str = ""
    password: str = ""
    smtp_protocol: str = "smtp"
    timeout: int = TIMEOUT_MS
    enable_tls: bool = False
    tls_version: str = ""
    enable_proxy: bool = False
    proxy_host: str = ""
    proxy_port: str = ""
    proxy_user: str = ""
    proxy_password: str = ""
    mail_from: str = ""
    enable_oauth2: bool = False

    @property
    def tls(self) -> str:
        """As outgoing.smtp has it. Raises ValueError."""
        if self.smtp_protocol not in ("smtp", "smtps"):
            raise ValueError(f"The mail server's protocol is {self.smtp_protocol!r}; expected smtp or smtps.")
        return "implicit" if self.smtp_protocol == "smtps" else "starttls" if self.enable_tls else ""

    @property
    def timeout_s(self) -> float:
        """For a whole mail."""
        return min(self.timeout if self.timeout > 0 else TIMEOUT_MS, LONGEST_TIMEOUT_MS) / 1000

    @property
    def proxy(self) -> Proxy | None:
        """Through which the server is reached. Raises ValueError."""
        if not self.enable_proxy:
            return None
        if not self.proxy_host or not self.proxy_port.isdecimal() or not 0 < int(self.proxy_port) < 65536:
            raise ValueError("The mail server's proxy needs a host, and a port from 1 to 65535.")
        return Proxy(self.proxy_host, int(self.proxy_port), self.proxy_user, self.proxy_password)


class Envelope(NamedTuple):
    """What a mail server is told: addresses, and the message."""

    sender: str
    recipients: list[str]
    message: EmailMessage

    @property
    def raw(self) -> bytes:
        """As it goes over the line."""
        return self.message.as_bytes(policy=_POLICY)


def envelope(email: Email, mail_from: str, key: uuid.UUID | None = None) -> Envelope:
    """The mail; `mail_from` is its sender where it names none, `key` makes its id. Raises ValueError with a sentence."""
    sender = addresses("from", email.from_ if email.from_.strip() else mail_from)
    if not sender:
        raise ValueError("The mail has no sender, and the platform's mail settings name none (mailFrom).")
    to, cc, bcc = (addresses(name, text) for name, text in (("to", email.to), ("cc", email.cc), ("bcc", email.bcc)))
    if not to:
        raise ValueError("Email destination can not be blank.")
    if len(to) + len(cc) + len(bcc) > RECIPIENTS:
        raise ValueError(f"The mail has {len(to) + len(cc) + len(bcc)} recipients; expected at most {RECIPIENTS}.")
    if _BREAKS.search(email.subject):
        raise ValueError("The subject has a line break.")
    message = EmailMessage(policy=_POLICY)
    message["From"] = sender[0]
    message["To"] = to
    if cc:
        message["Cc"] = cc
    message["Subject"] = email.subject
    message["Date"] = formatdate(localtime=False)
    if key is not None:
        message["Message-ID"] = f"<{key}@{sender[0].domain}>"
    message.set_content(email.body, subtype="html" if email.html else "plain", charset="utf-8")
    for name, image in email.images.items():
        _attach(message, name, image)
    everybody = [address.addr_spec for address in (*to, *cc, *bcc)]
    return Envelope(sender[0].addr_spec, list(dict.fromkeys(everybody)), message)


def addresses(name: str, text: str) -> list[Address]:
    """The addresses of a header, with the names in front of them. Raises ValueError."""
    if _BREAKS.search(text):
        raise ValueError(f"The addresses in {name!r} have a line break.")
    found = []
    for display, spec in getaddresses([text]):
        if not display and not spec:
            continue
        local, _, domain = spec.rpartition("@")
        try:
            if not _ADDRESS.fullmatch(spec) or not local.isascii():
                raise ValueError(spec)
            found.append(Address(display, local, domain.encode("idna").decode()))
        except (ValueError, IndexError):
            raise ValueError(f"{(spec or display)!r} in {name!r} is not an address.") from None
    if text.strip(" ,") and not found:
        raise ValueError(f"{text!r} in {name!r} is not an address.")
    return found


def _attach(message: EmailMessage, name: str, image: str) -> None:
    match = _DATA_URL.match(image)
    kind = match[1] if match else mimetypes.guess_type(name)[0] or "application/octet-stream"
    main, _, sub = kind.partition("/")
    try:
        content = base64.b64decode("".join(image[match.end() if match else 0 :].split()), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(f"The image {name!r} is not base64.") from None
    if not name or not name.isprintable() or any(letter in name for letter in "<> "):
        raise ValueError(f"{name!r} is not the id of an image.")
    message.add_related(content, main, sub or "octet-stream", cid=f"<{name}>", disposition="inline", filename=name)
