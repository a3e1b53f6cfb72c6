"""How much of each tenant waits in the queue, and who is over the bounds."""

import uuid

import pytest
from django.db import connection

from tests.transports.backlog import append
from thingsboard.kernel.models import OutboxRow
from thingsboard.kernel.outbox.backlog import Backlog, Bounds, measure, together

ONE, TWO = uuid.uuid4(), uuid.uuid4()
NOW = 1_000_000_000
NOBODY: frozenset[uuid.UUID] = frozenset()


@pytest.mark.django_db
def test_each_tenants_rows_are_summed_over_its_lanes() -> None:
    for tenant, size in ((ONE, 10), (ONE, 2000), (ONE, 300), (TWO, 50)):
        append(tenant, uuid.uuid4(), size)
    found = measure(connection.connection)
    assert {tenant: backlog.messages for tenant, backlog in found.items()} == {ONE: 3, TWO: 1}
    assert sum(backlog.size for backlog in found.values()) == sum(OutboxRow.objects.values_list("size", flat=True))
    assert found[ONE].oldest == OutboxRow.objects.order_by("id").first().created_time  # type: ignore[union-attr]
    assert together(found, NOW).messages == 4


@pytest.mark.django_db
def test_what_a_row_has_processed_already_waits_no_more() -> None:
    append(ONE, uuid.uuid4(), 10)
    OutboxRow.objects.update(messages=5, done=3)
    assert measure(connection.connection)[ONE].messages == 2


@pytest.mark.django_db
def test_an_empty_queue_is_nobodys_backlog() -> None:
    append(ONE, uuid.uuid4(), 10)
    OutboxRow.objects.all().delete()
    assert measure(connection.connection) == {}
    assert together({}, NOW) == Backlog(0, 0, NOW)


@pytest.mark.parametrize(
    ("size", "seconds", "fresh", "known"),
    [(79, 7, False, False), (81, 1, False, True), (1, 9, False, True), (100, 10, False, True), (101, 1, True, True),
     (1, 11, True, True)],
)  # fmt: skip
def test_who_was_over_is_free_only_well_below(size: int, seconds: int, fresh: bool, known: bool) -> None:
    bounds, found = Bounds(100, 10.0), {ONE: Backlog(size, 1, NOW - seconds * 1000)}
    assert (ONE in bounds.over(found, NOBODY, NOW)) is fresh
    assert (ONE in bounds.over(found, frozenset({ONE}), NOW)) is known


def test_who_has_nothing_waiting_is_free() -> None:
    assert Bounds(100, 10.0).over({}, frozenset({ONE}), NOW) == NOBODY
