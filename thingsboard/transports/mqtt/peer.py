"""What the socket knows about the other side."""

import asyncio
import ipaddress


def certificate_of(transport: asyncio.BaseTransport) -> bytes | None:
    """The certificate (DER) that a TLS client proved to own; None where it sent none, and without TLS."""
    tls = transport.get_extra_info("ssl_object")
    return None if tls is None else tls.getpeercert(binary_form=True)


def network_of(host: str) -> str:
    """Whose connection it is: an IPv4 address, or the /64 of an IPv6 address, in which one host may take any; "" where
    there is none.
    """
    if not host:
        return ""
    address = ipaddress.ip_address(host.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is None:
            return str(ipaddress.IPv6Network((int(address), 64), strict=False))
        address = address.ipv4_mapped
    return str(address)
