"""History as a TimescaleDB hypertable: chunks, compression, retention, and the points that have no chunk yet."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from telemetry import erasure, services
from telemetry.points import Point
from telemetry.query import HistoryQuery
from telemetry.store.maintenance import DAY_MS, maintain
from telemetry.writer import IngestWriter, Write
from thingsboard.kernel.ids import EntityId, EntityType
from thingsboard.kernel.time import now_ms, set_source

TENANT = uuid.UUID(int=7).bytes


def query(statement: str, *parameters: Any) -> list[Any]:
    """The rows; single columns as plain values."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return [row[0] if len(row) == 1 else row for row in cursor.fetchall()]


@pytest.fixture(autouse=True)
def timescale(transactional_db: None) -> Iterator[None]:
    """Tables, window and policies as after a fresh start."""
    if not query("SELECT 1 FROM pg_extension WHERE extname = 'timescaledb'"):
        pytest.skip("TimescaleDB is not available in this server")
    yield
    set_source(None)
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE ts_kv, ts_kv_far, ts_window")
    maintain(connection)


@pytest.fixture
def writer() -> Iterator[IngestWriter]:
    writer = IngestWriter()
    yield writer
    writer.close()


def store(writer: IngestWriter, entity: uuid.UUID, stamps: Any, offset: int = 0) -> None:
    assert writer.commit([Write(TENANT, [(entity.bytes, ts, {"a": ts + offset})]) for ts in stamps]) == {}


def everything(entity: uuid.UUID) -> list[Point]:
    points = services.history(entity, HistoryQuery(["a"], 0, 4_102_444_800_000, limit=10_000, descending=False))
    return points.get("a", [])


def job(kind: str) -> list[tuple[int, dict[str, Any]]]:
    """Number and configuration of the policies of this kind."""
    return query(
        "SELECT job_id, config::text::json FROM timescaledb_information.jobs "
        "WHERE hypertable_name = 'ts_kv' AND proc_name = %s",
        f"policy_{kind}",
    )


def compress() -> int:
    """Compress every chunk; how many there are."""
    return len(query("SELECT compress_chunk(chunk, if_not_compressed => true) FROM show_chunks('ts_kv') chunk"))


def test_history_is_a_hypertable_with_its_primary_key_in_chunks_of_a_week() -> None:
    (interval,) = query(
        "SELECT integer_interval FROM timescaledb_information.dimensions WHERE hypertable_name = 'ts_kv'"
    )
    assert interval == 7 * DAY_MS
    (key,) = query(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'ts_kv'::regclass AND contype = 'p'"
    )
    assert key == "PRIMARY KEY (entity_id, key_id, ts)"
    assert query("SELECT current_setting('timescaledb.telemetry_level')") == ["off"]


def test_chunks_are_compressed_by_series_after_a_week_and_the_policy_stays_the_same_job(settings: Any) -> None:
    columns = query(
        "SELECT attname, segmentby_column_index, orderby_asc FROM timescaledb_information.compression_settings "
        "WHERE hypertable_name = 'ts_kv' ORDER BY attname"
    )
    assert columns == [("entity_id", 1, None), ("key_id", 2, None), ("ts", None, False)]
    ((number, config),) = job("compression")
    assert config["compress_after"] == 7 * DAY_MS
    maintain(connection)
    assert job("compression") == [(number, config)]
    settings.TB_TS_COMPRESS_AFTER_DAYS = 14
    maintain(connection)
    ((_, config),) = job("compression")
    assert config["compress_after"] == 14 * DAY_MS


def test_a_compressed_chunk_takes_late_points_by_copy_and_by_merge_and_reads_right(writer: IngestWriter) -> None:
    entity, start = uuid.uuid4(), now_ms() - 30 * DAY_MS
    store(writer, entity, range(start, start + 600, 2))
    assert compress() >= 1
    store(writer, entity, range(start + 1, start + 601, 2))  # COPY: nothing of it is there
    assert everything(entity) == [Point(ts, ts) for ts in range(start, start + 600)]
    compress()
    store(writer, entity, range(start, start + 300), offset=1)  # COPY meets points that are there, then merges
    store(writer, entity, [start + 599], offset=2)  # a small batch merges at once
    expected = [Point(ts, ts + 1) for ts in range(start, start + 300)]
    expected += [Point(ts, ts) for ts in range(start + 300, start + 599)] + [Point(start + 599, start + 601)]
    assert everything(entity) == expected
    assert services.latest(entity) == {"a": Point(start + 599, start + 601)}


def test_a_batch_over_near_and_far_times_is_stored_once_however_often_it_comes(writer: IngestWriter) -> None:
    entity, now = uuid.uuid4(), now_ms()
    stamps = [*range(150), *range(now, now + 150), now + 2000 * DAY_MS]
    for _ in range(2):
        store(writer, entity, stamps)
    assert everything(entity) == [Point(ts, ts) for ts in stamps]
    assert query("SELECT count(*) FROM ts_kv_far") == [151]


def test_old_chunks_are_dropped_by_age_and_the_policy_goes_with_the_setting(
    writer: IngestWriter, settings: Any
) -> None:
    entity, now = uuid.uuid4(), now_ms()
    store(writer, entity, [now - 3000 * DAY_MS, now - 200 * DAY_MS, now - DAY_MS])
    assert job("retention") == []
    settings.TB_TS_RETENTION_DAYS = 60
    maintain(connection)
    ((number, config),) = job("retention")
    assert config["drop_after"] == 60 * DAY_MS
    with connection.cursor() as cursor:
        cursor.execute("CALL run_job(%s)", [number])
    assert everything(entity) == [Point(now - DAY_MS, now - DAY_MS)]
    settings.TB_TS_RETENTION_DAYS = 0
    maintain(connection)
    assert job("retention") == []


def test_a_deleted_entity_leaves_compressed_chunks_too_and_its_neighbour_stays(writer: IngestWriter) -> None:
    entity, neighbour, now = uuid.uuid4(), uuid.uuid4(), now_ms()
    stamps = [*range(now - 30 * DAY_MS, now - 30 * DAY_MS + 600), *range(now, now + 150), 5]
    for one in (entity, neighbour):
        store(writer, one, stamps)
    assert compress() >= 2
    store(writer, entity, [now - 30 * DAY_MS + 1000])  # not compressed yet, in a chunk that is
    services.forget(uuid.uuid4(), [EntityId(EntityType.DEVICE, entity)])
    assert erasure.work_off(slice_rows=40) == len(stamps) + 2
    assert everything(entity) == [] and services.latest(entity) == {}
    assert everything(neighbour) == [Point(ts, ts) for ts in sorted(stamps)]


def test_series_are_deleted_from_compressed_chunks_whole_or_by_time(writer: IngestWriter) -> None:
    entity, start = uuid.uuid4(), now_ms() - 30 * DAY_MS
    with connection.cursor() as cursor:
        store(writer, entity, [start])
        cursor.execute(
            "INSERT INTO ts_kv (entity_id, key_id, ts, long_v) SELECT entity_id, key_id, ts + g, ts + g FROM ts_latest, "
            "generate_series(1, 150000) g WHERE entity_id = %s",
            [entity],
        )
    compress()
    services.delete_timeseries(entity, ["a"], start_ts=start + 1, end_ts=start + 150_000)  # more than may be unpacked
    assert everything(entity) == [Point(ts, ts) for ts in (start, start + 150_000)]
    services.delete_timeseries(entity, ["a"])
    assert everything(entity) == []


def test_far_points_move_into_the_hypertable_when_their_time_comes(writer: IngestWriter) -> None:
    entity, now = uuid.uuid4(), now_ms()
    stamps = [5, now, now + 100 * DAY_MS, now + 3000 * DAY_MS]
    store(writer, entity, stamps)
    assert query("SELECT ts FROM ts_kv ORDER BY ts") == [now]
    set_source(lambda: now / 1000 + 100 * 86_400)
    maintain(connection)
    assert query("SELECT ts FROM ts_kv ORDER BY ts") == stamps[1:3]
    assert query("SELECT ts FROM ts_kv_far ORDER BY ts") == [5, stamps[3]]
    store(writer, entity, stamps)
    assert everything(entity) == [Point(ts, ts) for ts in stamps]


def test_a_point_that_the_window_has_left_behind_is_still_stored_once(writer: IngestWriter) -> None:
    entity, now = uuid.uuid4(), now_ms()
    old = now - 700 * DAY_MS
    store(writer, entity, [old])
    set_source(lambda: now / 1000 + 100 * 86_400)
    maintain(connection)
    store(writer, entity, [old], offset=1)
    assert everything(entity) == [Point(old, old + 1)]
