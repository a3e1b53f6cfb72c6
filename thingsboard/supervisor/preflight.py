"""What would stop the platform, found before anything is started: one clear line each, never a password."""

from urllib.parse import unquote, urlsplit

import psycopg
import redis

from thingsboard.transports.mqtt.certificate import CertificateError, own_certificate

from .ports import obstacle

OLDEST_POSTGRES = 14  # what Django 5.2 supports
CONNECT_TIMEOUT = 5  # seconds


class PreflightError(Exception):
    """The platform cannot start here; the message is one line that says why."""


def check_ports(bind: str, ports: dict[str, int]) -> None:
    """`ports` maps a setting's name to its number."""
    for name, port in ports.items():
        twins = [other for other, number in ports.items() if number == port and other != name]
        if twins:
            raise PreflightError(f"{name} and {twins[0]} are both {port}; expected different ports.")
        if why := obstacle(bind, port):
            hint = "" if why.startswith("TB_BIND") else f" Set {name} to a free port."
            raise PreflightError(f"{name}={port}: {why}.{hint}")


def check_certificate() -> None:
    """The certificate of MQTT over TLS can be used, or there is none."""
    try:
        own_certificate()
    except CertificateError as error:
        raise PreflightError(str(error)) from None


def check_database(url: str) -> None:
    """The database of DATABASE_URL answers, lets us in and is new enough."""
    try:
        with psycopg.connect(url, connect_timeout=CONNECT_TIMEOUT) as connection:
            version = connection.info.server_version
    except psycopg.Error as error:
        raise PreflightError(f"DATABASE_URL={shown(url)}: {_line(error, url)}") from None
    if version < OLDEST_POSTGRES * 10000:
        raise PreflightError(
            f"DATABASE_URL={shown(url)}: PostgreSQL {version // 10000}, expected {OLDEST_POSTGRES} or newer."
        )


def check_redis(url: str) -> None:
    """The Valkey or Redis of REDIS_URL answers and lets us in."""
    try:
        client = redis.Redis.from_url(url, socket_timeout=CONNECT_TIMEOUT, socket_connect_timeout=CONNECT_TIMEOUT)
    except ValueError:
        raise PreflightError("REDIS_URL: expected redis://:password@host:port/0, rediss://... or unix://...") from None
    try:
        client.ping()
    except (redis.RedisError, OSError, ValueError) as error:
        raise PreflightError(f"REDIS_URL={shown(url)}: {_line(error, url)}") from None
    finally:
        client.close()


def shown(url: str) -> str:
    """A URL without its password and its options (which may hold another one)."""
    parts = urlsplit(url)
    location = parts.netloc
    if "@" in location:
        user, _, host = location.rpartition("@")
        location = f"{user.partition(':')[0]}{':***' if ':' in user else ''}@{host}"
    return f"{parts.scheme}://{location}{parts.path}"


def _line(error: Exception, url: str) -> str:
    """The error's own words on one line, without the password should they repeat it."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = lines[-1] if lines and lines[0].endswith("failed:") else " ".join(lines[:2])
    password = urlsplit(url).password
    for secret in {password, unquote(password)} if password else ():
        text = text.replace(secret, "***")
    return text or type(error).__name__
