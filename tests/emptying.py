"""What is done to the database after a test that commits: its rows go, in a fraction of the time of Django's `flush`.

`flush` truncates every table and then has every receiver of `post_migrate` make all content types and permissions anew: 0.1 to
0.2 s a test. Here only tables with rows are emptied, and what is the same in every test stays, with its numbers: a web process
that several tests share may remember them.
"""

from typing import Any

from django.db import connection, transaction
from django.test import TransactionTestCase

from rules.services.seeds import seed

KEPT = frozenset({"django_content_type", "auth_permission"})


def install() -> None:
    """From now on, for every test that commits."""
    TransactionTestCase._fixture_teardown = _empty  # type: ignore[attr-defined]


def _empty(_case: Any) -> None:
    names = connection.introspection.django_table_names(only_existing=True, include_views=False)
    tables = [connection.ops.quote_name(name) for name in names if name not in KEPT]
    look = ", ".join(f"CASE WHEN EXISTS (SELECT FROM {table}) THEN '{table}' END" for table in tables)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT array_remove(ARRAY[{look}], NULL)")
        (found,) = cursor.fetchone()
        with transaction.atomic():  # all foreign keys are deferrable, so the order does not matter
            cursor.execute(";".join(["SET CONSTRAINTS ALL DEFERRED", *(f"DELETE FROM {table}" for table in found)]))
    seed()
