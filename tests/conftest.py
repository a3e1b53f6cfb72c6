"""What every test may use: the cast of characters, a directory for servers, and nothing remembered; slow ones queue."""

import uuid
from collections.abc import Iterator

import pytest
from django.db import connection
from pytest_django import DjangoDbBlocker

from telemetry import keys
from tenants.services import attempts, session_cache
from tenants.services import settings as tenants_settings
from tests import emptying, examples
from tests.cast import cast
from tests.servers_dir import servers_dir

__all__ = ["cast", "servers_dir"]

examples.load()
emptying.install()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow tests start whole platforms: one at a time, so one worker runs them all (`--dist loadgroup`)."""
    for item in items:
        if item.get_closest_marker("slow") and not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group("platforms"))


@pytest.fixture(autouse=True)
def _no_remembered_keys(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Tables are emptied between tests, so what a process remembers of them must be as well."""
    keys.cache.clear()
    session_cache.cache.clear()
    monkeypatch.setattr(
        tenants_settings, "_cached", None
    )  # else the key of tokens becomes another one in the middle of a test
    yield


@pytest.fixture(autouse=True)
def _no_failed_logins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Valkey is one for all workers, and everybody's alice mistypes her password."""
    monkeypatch.setattr(attempts, "PREFIX", f"tb:signin:{uuid.uuid4()}:")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The database is dropped at the end, even where a thread of a test left its connection open."""
    yield
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()"
        )
