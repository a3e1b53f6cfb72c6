"""Send email."""

import ssl
from collections.abc import Mapping
from typing import Any, ClassVar

from rules.node import SUCCESS, Category, Config, Emit, Msg, Outside, OutsideNode, TryAgain
from rules.node.leaving import endpoint, shown_body
from rules.node.mail import TIMEOUT_MS, Email, MailServer, addresses, envelope
from thingsboard.kernel.outgoing import tls
from thingsboard.kernel.outgoing.errors import NotSent

SEND_EMAIL = "SEND_EMAIL"


class SendEmailConfig(Config, frozen=True):
    """The platform's mail server, or one of its own."""

    NEW: ClassVar[Mapping[str, Any]] = {"useSystemSmtpSettings": True}

    use_system_smtp_settings: bool = False
    smtp_host: str = "localhost"
    smtp_port: int = 25
    username: str | None = None
    password: str | None = None
    smtp_protocol: str = "smtp"
    timeout: int = TIMEOUT_MS
    enable_tls: bool = False
    tls_version: str = "TLSv1.2"
    enable_proxy: bool = False
    proxy_host: str | None = None
    proxy_port: str | None = None
    proxy_user: str | None = None
    proxy_password: str | None = None


class SendEmail(OutsideNode):
    """Sends the mail that the node *to email* has made, by the platform's mail server or by one of its own.

    Only messages of the type SEND_EMAIL, such as *to email* makes, are mails. A mail goes to all of its recipients, or to none.

    Failure: another type, an address that is none, a server that refuses, that is not whom it should be, or does not offer the
    TLS that is wanted. Where the server cannot be reached, or says "not now" (4xx), it is tried again.
    """

    TYPE = "org.thingsboard.rule.engine.mail.TbSendEmailNode"
    NAME = "send email"
    CATEGORY = Category.EXTERNAL
    CONFIG = SendEmailConfig
    CONFIG_DIRECTIVE = "tbExternalNodeSendEmailConfig"
    ICON = "send"

    def __init__(self, config: SendEmailConfig, name: str = "") -> None:
        super().__init__(config, name)
        self._own: MailServer | None = None
        if not config.use_system_smtp_settings:
            self._own = MailServer.read(config.saved())
            _ = self._own.tls, self._own.proxy  # raise ValueError

    def destination(self, msg: Msg) -> str:
        """The mail server."""
        self._email(msg)
        return f"smtp://{endpoint(self._own.smtp_host, self._own.smtp_port)}" if self._own else "smtp:"

    def preview(self, msg: Msg) -> dict[str, Any]:
        """The mail."""
        email = self._email(msg)
        lists = {"to": email.to, "cc": email.cc, "bcc": email.bcc, "from": email.from_}
        return {
            "server": self.destination(msg) if self._own else "the platform's",
            **{name: [str(each) for each in addresses(name, text)] for name, text in lists.items()},
            "subject": email.subject,
            "html": email.html,
            "body": shown_body(email.body.encode()),
            "images": sorted(email.images),
        }

    async def perform(self, outside: Outside, msg: Msg) -> Emit:
        """One mail."""
        from thingsboard.kernel.outgoing import smtp

        email = self._email(msg)
        server, guard, mail_from = self._own, outside.guard, ""
        if server is None:
            server = MailServer.read(dict(await outside.system("mail")))
            # An administrator of the platform has named it: it may stand in the platform's own network.
            guard, mail_from = guard.trusting(), server.mail_from
            if server.enable_oauth2:
                raise ValueError("The platform's mail server wants OAuth 2, which is not there yet.")
        elif not email.from_.strip():
            mail_from = str((await outside.system("mail")).get("mailFrom") or "")
        mail = envelope(email, mail_from, outside.key)
        lowest = ssl.TLSVersion.TLSv1_3 if server.tls_version == "TLSv1.3" else ssl.TLSVersion.TLSv1_2
        place = smtp.Server(
            server.smtp_host,
            server.smtp_port,
            server.tls,
            server.username,
            server.password,
            server.timeout_s,
            server.proxy,
        )
        context = tls.context(lowest=lowest) if server.tls else None
        try:
            await smtp.send(guard, place, context, mail.sender, mail.recipients, mail.raw)
        except NotSent as error:
            raise TryAgain(str(error)) from error
        return Emit(SUCCESS, msg)

    def _email(self, msg: Msg) -> Email:
        if msg.type != SEND_EMAIL:
            raise ValueError(f"Not expected msg type {msg.type} for SendEmail Node")
        email = Email.of(msg.data.members)
        if not email.to.strip():
            raise ValueError("Email destination can not be blank.")
        return email
