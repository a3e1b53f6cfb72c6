"""What the socket knows about the other side."""

import asyncio


def certificate_of(transport: asyncio.BaseTransport) -> bytes | None:
    """The certificate (DER) that a TLS client proved to own; None where it sent none, and without TLS."""
    tls = transport.get_extra_info("ssl_object")
    return None if tls is None else tls.getpeercert(binary_form=True)
