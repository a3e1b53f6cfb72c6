"""Where a request comes from, and under which address we are reached, when there may be proxies in front."""

from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest

LONGEST_HEADER = 2048  # characters of X-Forwarded-For that are looked at


def client_address(request: HttpRequest) -> str:
    """The client's IP address, "" when there is none (a unix socket).

    X-Forwarded-For is believed as far as trusted proxies (TB_TRUSTED_PROXIES) wrote it: read from its end, the first
    address that is no such proxy is the client. What stands before that, the client may have made up.
    """
    address = _ip(str(request.META.get("REMOTE_ADDR") or ""))
    hops = str(request.META.get("HTTP_X_FORWARDED_FOR") or "")[-LONGEST_HEADER:].split(",")
    while hops and is_trusted(address):
        hop = _ip(hops.pop())
        if not hop:
            break
        address = hop
    return address


def is_trusted(address: str) -> bool:
    """Whether that is one of our proxies."""
    if not address:
        return False
    parsed = ip_address(address)
    return any(parsed in network for network in settings.TB_TRUSTED_PROXIES)


def base_url(request: HttpRequest) -> str:
    """`https://host` under which browsers reach us: TB_BASE_URL, else as the request came in."""
    if settings.TB_BASE_URL:
        return str(settings.TB_BASE_URL)
    forwarded = is_trusted(_ip(str(request.META.get("REMOTE_ADDR") or ""))) and (
        request.META.get("HTTP_X_FORWARDED_PROTO") == "https"
    )
    return f"{'https' if forwarded or request.is_secure() else 'http'}://{request.get_host()}"


def _ip(text: str) -> str:
    """An address in its usual spelling, without brackets and port; "" for anything else."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        parsed = ip_address(text)
    except ValueError:
        return ""
    return str(getattr(parsed, "ipv4_mapped", None) or parsed)
