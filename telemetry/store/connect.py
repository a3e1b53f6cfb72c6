"""Connections of the store's own: outside Django's, for writer threads and for transactions that must commit by
themselves.
"""

from typing import Any

import psycopg
from django.db import connection as django_connection


def parameters() -> dict[str, Any]:
    """Libpq parameters of Django's default database (the test database under test)."""
    django = django_connection.get_connection_params()
    return {
        key: value for key, value in django.items() if key not in {"cursor_factory", "context", "prepare_threshold"}
    }


def connect(application: str) -> "psycopg.Connection[Any]":
    """A connection in autocommit mode whose silent death is noticed within about 20 s.

    A transaction left open by a hung process is ended by the server after 60 s.
    """
    return psycopg.connect(
        **{
            "connect_timeout": 10,
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 2,
            "tcp_user_timeout": 20_000,
            "application_name": application,
            **parameters(),
        },
        autocommit=True,
        options="-c idle_in_transaction_session_timeout=60000 -c lock_timeout=30000",
    )
