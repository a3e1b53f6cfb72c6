"""What leaves the platform: bodies as text, and what may be shown of it to people."""

import re
from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

import orjson

from rules.node.message import Msg

HIDDEN: Final = "***"
# A preview shows a body up to so many characters.
_SHOWN: Final = 4096
_SECRET: Final = re.compile(
    r"auth|token|secret|passw|pwd|cookie|credential|signature|sig$|key$|api.?key", re.IGNORECASE
)


def payload(msg: Msg, plain: bool) -> bytes:
    """The body as it is; `plain` makes a JSON string the text that it says."""
    raw = msg.data.raw
    if plain and len(raw) > 1 and raw[:1] == raw[-1:] == b'"':
        try:
            return str(orjson.loads(raw)).encode()
        except ValueError:
            return raw
    return raw


def shown_body(body: bytes) -> str:
    """A body for people: text, and not too much of it."""
    text = body[: 4 * _SHOWN].decode("utf-8", "replace")
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}... ({len(body)} bytes)"


def shown_headers(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Headers or properties without what looks like a secret."""
    return {name: HIDDEN if _SECRET.search(name) else value for name, value in headers}


def shown_url(url: str) -> str:
    """A URL without what looks like a secret in its query."""
    try:
        parts = urlsplit(url)
        pairs = parse_qsl(parts.query, keep_blank_values=True)
    except ValueError:
        return url.partition("?")[0]
    if not any(_SECRET.search(name) for name, _ in pairs):
        return url
    query = "&".join(f"{quote(name)}={HIDDEN if _SECRET.search(name) else quote(value)}" for name, value in pairs)
    return urlunsplit(parts._replace(query=query))


def endpoint(host: str, port: int) -> str:
    """`host:port`, an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host and not host.startswith("[") else f"{host}:{port}"


def named(host: str | None, port: int, what: str) -> str:
    """The host of a configuration. Raises ValueError where it has none, or no port."""
    if not host or not host.strip():
        raise ValueError(f"The configuration names no host of {what}.")
    if not 0 < port < 65536:
        raise ValueError(f"The configuration has port {port}; expected 1 to 65535.")
    return host.strip()


def without_empty(members: Mapping[str, object]) -> dict[str, object]:
    """Without those that say nothing."""
    return {name: value for name, value in members.items() if value not in (None, "", [], {})}
