"""DATABASE_URL to Django's DATABASES entry."""

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict


def connection_settings(url: str) -> dict[str, Any]:
    """Django's settings for a libpq URL (`postgresql://user:password@host:port/name?option=...`).

    Raises ImproperlyConfigured, without the URL's password, when it is not one.
    """
    if not url.startswith(("postgresql://", "postgres://")):
        raise ImproperlyConfigured("DATABASE_URL: expected postgresql://user:password@host:port/name.")
    try:
        parts = conninfo_to_dict(url)
    except ProgrammingError:
        raise ImproperlyConfigured(
            "DATABASE_URL: libpq cannot read it; expected postgresql://user:password@host:port/name."
        ) from None
    if not parts.get("dbname"):
        raise ImproperlyConfigured(
            "DATABASE_URL names no database; expected postgresql://user:password@host:port/name."
        )
    known = {key: parts.pop(key, "") or "" for key in ("dbname", "user", "password", "host", "port")}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": known["dbname"],
        "USER": known["user"],
        "PASSWORD": known["password"],
        "HOST": known["host"],
        "PORT": known["port"],
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"connect_timeout": 10, **parts},
    }
