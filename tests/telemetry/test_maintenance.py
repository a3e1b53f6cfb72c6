"""Native partitions: made ahead as time goes by, filled from the far partition, dropped by age, without ever failing."""

import logging
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from telemetry import services
from telemetry.points import Point
from telemetry.query import HistoryQuery
from telemetry.store.connect import connect
from telemetry.store.maintenance import DAY_MS, is_timescale, maintain, months
from telemetry.writer import IngestWriter, Write
from thingsboard.kernel.time import now_ms, set_source

TENANT = uuid.UUID(int=7).bytes


def query(statement: str, *parameters: Any) -> list[Any]:
    """The first column of every row."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return [row[0] for row in cursor.fetchall()]


def partitions() -> set[str]:
    return set(query("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'ts_kv'::regclass"))


def far() -> list[int]:
    return query("SELECT ts FROM ts_kv_far ORDER BY ts")


def month_of(ms: int) -> str:
    return months(ms, ms)[0][0]


def everything(entity: uuid.UUID) -> list[Point]:
    points = services.history(entity, HistoryQuery(["a"], 0, 4_102_444_800_000, limit=1000, descending=False))
    return points.get("a", [])


def store(entity: uuid.UUID, *stamps: int) -> None:
    writer = IngestWriter()
    assert writer.commit([Write(TENANT, [(entity.bytes, ts, {"a": ts})]) for ts in stamps]) == {}
    writer.close()


@pytest.fixture(autouse=True)
def native(transactional_db: None) -> Iterator[None]:
    """Leaves the partitions as they were, and the clock."""
    if is_timescale(connection):
        pytest.skip("This server has TimescaleDB: there are chunks instead of partitions.")
    maintain(connection)
    before = partitions()
    yield
    set_source(None)
    for name in partitions() - before:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP TABLE {name}")
    maintain(connection)


def move_clock(days: int) -> None:
    moved = (now_ms() + days * DAY_MS) / 1000
    set_source(lambda: moved)


def test_months_are_made_ahead_as_the_clock_moves_and_only_once() -> None:
    before = partitions()
    assert {month_of(now_ms()), month_of(now_ms() + 30 * DAY_MS), month_of(now_ms() - 700 * DAY_MS)} <= before
    move_clock(200)
    assert month_of(now_ms()) not in before
    maintain(connection)
    made = partitions() - before
    assert {month_of(now_ms()), month_of(now_ms() + 30 * DAY_MS)} <= made
    assert 5 <= len(made) <= 8
    maintain(connection)
    assert partitions() - before == made


def test_far_points_move_into_their_month_when_it_comes() -> None:
    entity, now = uuid.uuid4(), now_ms()
    stamps = [5, now, now + 100 * DAY_MS, now + 3000 * DAY_MS]
    store(entity, *stamps)
    assert far() == [5, *stamps[2:]]
    move_clock(100)
    maintain(connection)
    assert far() == [5, stamps[3]]
    assert query(f"SELECT ts FROM {month_of(stamps[2])}") == [stamps[2]]
    store(entity, *stamps)
    assert everything(entity) == [Point(ts, ts) for ts in stamps]


def test_old_months_are_dropped_by_age_and_not_made_again(settings: Any) -> None:
    entity, now = uuid.uuid4(), now_ms()
    store(entity, now - 3000 * DAY_MS, now - 200 * DAY_MS, now - DAY_MS)
    settings.TB_TS_RETENTION_DAYS = 60
    maintain(connection)
    assert everything(entity) == [Point(now - DAY_MS, now - DAY_MS)]
    kept = partitions()
    assert month_of(now - 59 * DAY_MS) in kept and month_of(now - 200 * DAY_MS) not in kept
    oids = "SELECT max(oid::bigint) FROM pg_class"
    newest = query(oids)
    maintain(connection)
    assert partitions() == kept
    assert query(oids) == newest  # nothing was made only to be dropped


def test_a_reader_of_the_far_partition_delays_new_months_and_breaks_nothing(caplog: pytest.LogCaptureFixture) -> None:
    before = partitions()
    move_clock(200)
    with connect("thingsboard test") as reader, caplog.at_level(logging.WARNING):
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM ts_kv_far")
        maintain(connection)
        assert partitions() == before
        assert [record.getMessage()[:26] for record in caplog.records] == [f"Partition {min(future(before))} has"[:26]]
        reader.execute("ROLLBACK")
    maintain(connection)
    assert month_of(now_ms()) in partitions()


def future(known: set[str]) -> list[str]:
    """The months up to the moved present that nobody has made."""
    return [name for name, *_ in months(now_ms() - 730 * DAY_MS, now_ms() + 30 * DAY_MS) if name not in known]
