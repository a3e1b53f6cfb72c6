"""URLs as users write them, taken apart once and for all: whoever is checked is whoever is asked."""

from typing import Final

from thingsboard.kernel.outgoing.http import Target
from thingsboard.kernel.outgoing.tunnel import Proxy

PORTS: Final = {"http": 80, "https": 443}


def parse(text: str) -> Target:
    """An http or https URL, whose path and query are escaped where they are not, and whose host is ASCII. Raises ValueError
    with a sentence that does not repeat what may be secret in it.
    """
    import httpx  # 80 ms, which most processes never need

    try:
        url = httpx.URL(text.strip())
    except (httpx.InvalidURL, ValueError) as error:
        raise ValueError(f"The URL cannot be used: {error}.") from None
    if url.scheme not in PORTS:
        raise ValueError(
            f"The URL begins with {url.scheme + ':' if url.scheme else 'no scheme'}; expected http: or https:."
        )
    if not url.raw_host:
        raise ValueError("The URL names no host.")
    if url.userinfo:
        raise ValueError("The URL has a user in front of its host; expected credentials in their own fields.")
    return Target(url.scheme, url.raw_host.decode(), url.port or PORTS[url.scheme], url.raw_path.decode())


def proxy(text: str) -> Proxy:
    """The proxy that an operator of the platform has named: http://user:password@host:port. Raises ValueError."""
    import httpx

    try:
        url = httpx.URL(text if "://" in text else f"http://{text}")
    except (httpx.InvalidURL, ValueError):
        raise ValueError("The platform's proxy cannot be used: it is not a URL.") from None
    if url.scheme != "http" or not url.raw_host:
        raise ValueError(f"The platform's proxy begins with {url.scheme}:; expected http:.")
    return Proxy(url.raw_host.decode(), url.port or PORTS["http"], url.username, url.password, trusted=True)
