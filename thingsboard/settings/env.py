"""Typed readers of environment variables: a wrong value stops the start with one clear line."""

import os
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import overload

from django.core.exceptions import ImproperlyConfigured

from thingsboard.kernel.outgoing import Allowed

BASE_DIR = Path(__file__).resolve().parent.parent.parent


def text(name: str, default: str = "") -> str:
    """The variable's text, or `default` when it is unset or empty."""
    return os.environ.get(name) or default


def flag(name: str, default: bool) -> bool:
    """A boolean: 1/true/yes/on or 0/false/no/off, whatever the case."""
    raw = os.environ.get(name, "").strip().lower()
    if not raw:
        return default
    if raw in {"1", "true", "yes", "on"}:
        return True
    if raw in {"0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"{name}={raw!r}: expected one of 1, true, yes, on, 0, false, no, off.")


def integer(name: str, default: int, *, low: int = 0, high: int = 2**63 - 1) -> int:
    """A whole number within [low, high]."""
    raw = os.environ.get(name, "").strip()
    if not raw:
        return default
    try:
        value = int(raw)
    except ValueError:
        raise ImproperlyConfigured(f"{name}={raw!r}: expected a whole number.") from None
    if not low <= value <= high:
        raise ImproperlyConfigured(f"{name}={value}: expected a whole number from {low} to {high}.")
    return value


def seconds(name: str, default: float, *, low: float = 0.0, high: float = 1e9) -> float:
    """A duration in seconds, fractions allowed (tests set some below 0.5)."""
    raw = os.environ.get(name, "").strip()
    if not raw:
        return default
    try:
        value = float(raw)
    except ValueError:
        raise ImproperlyConfigured(f"{name}={raw!r}: expected a number of seconds.") from None
    if not low <= value <= high:
        raise ImproperlyConfigured(f"{name}={value}: expected a number of seconds from {low:g} to {high:g}.")
    return value


def names(name: str, default: str = "") -> list[str]:
    """A comma-separated list without blanks."""
    return [part.strip() for part in text(name, default).split(",") if part.strip()]


def destinations(name: str) -> list[str]:
    """A comma-separated list of names, addresses and networks, each with a port or without (kernel.outgoing.Allowed)."""
    found = names(name)
    try:
        Allowed(found)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}: {error}") from None
    return found


def networks(name: str, default: str) -> list[IPv4Network | IPv6Network]:
    """A comma-separated list of networks (192.0.2.0/24) or addresses, of either family."""
    found = []
    for part in names(name, default):
        try:
            found.append(ip_network(part))
        except ValueError:
            raise ImproperlyConfigured(
                f"{name}={part!r}: expected networks or addresses such as 192.0.2.0/24."
            ) from None
    return found


@overload
def path(name: str, default: Path) -> Path: ...
@overload
def path(name: str, default: Path | None) -> Path | None: ...
def path(name: str, default: Path | None) -> Path | None:
    """An absolute path; a relative one counts from the working directory."""
    raw = os.environ.get(name)
    return Path(raw).expanduser().absolute() if raw else default
