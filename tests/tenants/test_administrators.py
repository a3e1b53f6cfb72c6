"""Two system administrators who remove each other at the same moment."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from tenants.models import Authority, User
from tenants.services.users import create_user
from tests.cast import api
from tests.waiting import until

WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


def waiting() -> int:
    """How many of our connections wait for a lock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")  # a transaction sees the same picture for ever
        cursor.execute(WAITING)
        return int(cursor.fetchone()[0])


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("delete", "/api/user/{}"),
        ("post", "/api/user/{}/userCredentialsEnabled?userCredentialsEnabled=false"),
    ],
)
def test_one_of_them_stays(transactional_db: None, method: str, path: str) -> None:
    ann, ben = (
        create_user(f"{name}@example.org", Authority.SYS_ADMIN, password="long enough") for name in ("ann", "ben")
    )

    def remove(by: User, other: User) -> int:
        try:
            return int(getattr(api(by), method)(path.format(other.pk)).status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        with transaction.atomic():
            # Both have looked, and wait for what they want to change: nobody is faster.
            list(User.objects.select_for_update().order_by("pk"))
            answers = [pool.submit(remove, ann, ben), pool.submit(remove, ben, ann)]
            until(lambda: waiting() == 2)
        assert sorted(answer.result() for answer in answers) == [200, 400]
    assert User.objects.filter(is_active=True).count() == 1
