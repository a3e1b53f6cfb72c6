"""Mail to a server of somebody's choice."""

import asyncio
import socket
import ssl
import time
from collections.abc import Sequence
from typing import NamedTuple

import aiosmtplib

from thingsboard.kernel.outgoing.errors import Interrupted, NotSent
from thingsboard.kernel.outgoing.guard import Guard, Unreachable
from thingsboard.kernel.outgoing.tls import is_why
from thingsboard.kernel.outgoing.tunnel import Proxy, through


class Server(NamedTuple):
    """`tls`: "" for none, "starttls" or "implicit"; nothing is sent without what is wanted. `timeout_s` is for the whole."""

    host: str
    port: int
    tls: str = ""
    user: str = ""
    password: str = ""
    timeout_s: float = 10.0
    proxy: Proxy | None = None


async def send(
    guard: Guard, server: Server, context: ssl.SSLContext | None, sender: str, recipients: Sequence[str], message: bytes
) -> None:
    """The server has taken the message for all recipients, or for none. Raises Refused, ValueError (it will not take it),
    NotSent (not now), and Interrupted where only it knows.
    """
    place = f"The mail server {server.host}:{server.port}"
    ends = time.monotonic() + server.timeout_s
    client: aiosmtplib.SMTP | None = None
    sending = False
    try:
        async with asyncio.timeout(server.timeout_s):
            connection = await _connected(guard, server)
            client = aiosmtplib.SMTP(
                hostname=server.host,
                sock=connection,
                use_tls=server.tls == "implicit",
                start_tls=server.tls == "starttls",
                tls_context=context,
                username=server.user or None,
                password=server.password if server.user else None,
                local_hostname=socket.gethostname(),
                timeout=max(0.01, ends - time.monotonic()),
            )
            await client.connect()
            await client.mail(sender)
            for recipient in recipients:
                await client.rcpt(recipient)
            sending = True
            await client.data(message)
    except aiosmtplib.SMTPResponseException as error:
        said = f"{place} says {error.code} {error.message}"
        if error.code < 500:
            raise NotSent(said) from error
        raise ValueError(said) from error
    except Unreachable as error:
        raise NotSent(str(error)) from error
    except (TimeoutError, OSError) as error:
        if is_why(error):
            raise ValueError(f"There is no safe connection to {server.host}:{server.port}: {error}") from error
        why = (
            f"did not answer within {server.timeout_s:g} s"
            if isinstance(error, TimeoutError)
            else f"broke off: {error}"
        )
        if sending:
            raise Interrupted(f"{place} {why}; it may have taken the mail.") from error
        raise NotSent(f"{place} {why}.") from error
    except aiosmtplib.SMTPException as error:
        raise ValueError(f"{place} cannot do what is wanted: {error}") from error
    finally:
        if client is not None:
            client.close()


async def _connected(guard: Guard, server: Server) -> socket.socket:
    if server.proxy is not None:
        return await through(guard, server.proxy, server.host, server.port, server.timeout_s)
    return await guard.connect(server.host, server.port, server.timeout_s)
