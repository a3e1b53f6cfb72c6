"""A real mail server on loopback, which keeps what it took."""

import asyncio
import email
import email.policy
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


class MailServer:
    """`mails` are what it took: (sender, recipients, message). It refuses recipients of `refuses` by their code."""

    def __init__(self, **refuses: str) -> None:
        self.mails: list[tuple[str, list[str], Any]] = []
        self.users: list[bytes] = []
        self.refuses = refuses
        self.data_answer = ""
        self.silent = False
        self.port = 0

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        name = address.partition("@")[0]
        if name in self.refuses:
            return self.refuses[name]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.silent:
            await asyncio.Event().wait()
        if self.data_answer:
            return self.data_answer
        assert isinstance(envelope.content, bytes) and envelope.mail_from is not None
        parsed = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.mails.append((envelope.mail_from, envelope.rcpt_tos, parsed))
        return "250 OK"

    def authenticate(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.users.append(data.login)
        return AuthResult(success=data.password == b"secret", handled=False)


@asynccontextmanager
async def running(
    server: MailServer, *, starttls: ssl.SSLContext | None = None, tls: ssl.SSLContext | None = None, auth: bool = False
) -> AsyncIterator[MailServer]:
    def protocol() -> SMTP:
        return SMTP(
            server,
            hostname="mail.example",
            tls_context=starttls,
            authenticator=server.authenticate if auth else None,
            auth_required=auth,
            auth_require_tls=starttls is not None,
        )

    listener = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0, ssl=tls)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
