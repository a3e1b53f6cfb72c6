"""The writer of a shard against a real server: one transaction a batch, culprits, conflicts, lost connections."""

import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from django.db import connection
from psycopg import errors

from telemetry import keys, services
from telemetry.models import TsKv
from telemetry.points import Attribute, Json, Point, Scope
from telemetry.query import HistoryQuery
from telemetry.store import connect as connect_module
from telemetry.writer import IngestWriter, Write
from tests.waiting import until
from thingsboard.kernel.batch import Unavailable

pytestmark = pytest.mark.django_db(transaction=True)

TENANT = uuid.UUID(int=7).bytes


@pytest.fixture
def writer() -> Iterator[IngestWriter]:
    keys.cache.clear()
    writer = IngestWriter()
    yield writer
    writer.close()


@pytest.fixture
def now() -> int:
    return int(time.time() * 1000)


def device() -> uuid.UUID:
    return uuid.uuid4()


def everything(entity: uuid.UUID, *names: str) -> dict[str, list[Point]]:
    return services.history(entity, HistoryQuery(names, 0, 4_102_444_800_000, limit=100_000, descending=False))


def test_every_kind_of_value_comes_back_as_it_was_from_small_batches_and_from_large_ones(
    writer: IngestWriter, now: int
) -> None:
    values = {"b": False, "l": -(2**63), "d": 0.1, "s": "größer", "j": Json('{"a": [1]}')}
    for count in (1, 100):
        entity = device()
        assert writer.commit([Write(TENANT, [(entity.bytes, now + n, dict(values))]) for n in range(count)]) == {}
        assert services.latest(entity) == {key: Point(now + count - 1, value) for key, value in values.items()}
        found = everything(entity, *values)
        for key, value in values.items():
            assert found[key] == [Point(now + n, value) for n in range(count)]
            assert {type(point.value) for point in found[key]} == {type(value)}


def test_the_later_of_two_values_at_one_time_stands_within_a_batch_and_across_batches(
    writer: IngestWriter, now: int
) -> None:
    entity = device()
    writer.commit(
        [Write(TENANT, [(entity.bytes, now, {"a": 1, "b": 1})]), Write(TENANT, [(entity.bytes, now, {"a": 2})])]
    )
    assert everything(entity, "a", "b") == {"a": [Point(now, 2)], "b": [Point(now, 1)]}
    batch = [Write(TENANT, [(entity.bytes, now + n, {"a": 3, "b": 3})]) for n in range(300)]
    writer.commit(batch)
    writer.commit(batch)
    assert TsKv.objects.filter(entity_id=entity).count() == 600
    assert services.latest(entity) == {"a": Point(now + 299, 3), "b": Point(now + 299, 3)}


def test_an_older_point_never_replaces_the_latest_value(writer: IngestWriter, now: int) -> None:
    entity = device()
    writer.commit([Write(TENANT, [(entity.bytes, now, {"a": 1})])])
    writer.commit([Write(TENANT, [(entity.bytes, now - 1000, {"a": 2, "b": 2})])])
    assert services.latest(entity) == {"a": Point(now, 1), "b": Point(now - 1000, 2)}


def test_readings_of_one_batch_with_different_keys_leave_the_newest_of_each(writer: IngestWriter, now: int) -> None:
    entity = device()
    readings = [(now + 2, {"a": 3}), (now, {"a": 1, "b": 1}), (now + 1, {"b": 2, "c": 2})]
    writer.commit([Write(TENANT, [(entity.bytes, ts, values) for ts, values in readings])])
    assert services.latest(entity) == {"a": Point(now + 2, 3), "b": Point(now + 1, 2), "c": Point(now + 1, 2)}


def test_points_outside_the_window_are_stored_read_and_deleted_like_others(writer: IngestWriter, now: int) -> None:
    entity = device()
    stamps = [0, 1, 86_400_000, now, now + 3650 * 86_400_000 // 2, 4_102_444_799_999]
    batch = [Write(TENANT, [(entity.bytes, ts, {"a": ts})]) for ts in stamps]
    writer.commit(batch)
    writer.commit(batch * 100)
    assert [point.ts for point in everything(entity, "a")["a"]] == stamps
    services.delete_timeseries(entity, ["a"], start_ts=1, end_ts=now + 1, rewrite_latest=True)
    assert [point.ts for point in everything(entity, "a")["a"]] == [0, *stamps[-2:]]
    services.delete_timeseries(entity, ["a"])
    assert everything(entity, "a") == {}


def test_attributes_are_written_in_the_same_transaction(writer: IngestWriter, now: int) -> None:
    entity = device()
    scope = int(Scope.CLIENT)
    writer.commit(
        [
            Write(TENANT, [(entity.bytes, now, {"t": 1})], [(entity.bytes, scope, now, {"a": "x", "b": True})]),
            Write(TENANT, (), [(entity.bytes, scope, now + 1, {"a": Json("[]")})]),
        ]
    )
    assert services.attributes(entity) == [
        Attribute("a", Scope.CLIENT, Json("[]"), now + 1),
        Attribute("b", Scope.CLIENT, True, now),
    ]


def test_a_key_that_cannot_be_one_refuses_its_message_alone(writer: IngestWriter, now: int) -> None:
    entity = device()
    writes = [Write(TENANT, [(entity.bytes, now, {name: 1})]) for name in ("good", "", "x" * 256, "nul\0", "x" * 255)]
    refused = writer.commit(writes)
    assert {index: why.code for index, why in refused.items()} == {1: "key", 2: "key", 3: "key"}
    assert services.timeseries_keys(entity) == ["good", "x" * 255]


def test_a_tenant_that_used_up_its_keys_is_refused_new_ones_and_goes_on_with_the_old(
    writer: IngestWriter, now: int, settings: Any
) -> None:
    settings.TB_MAX_KEYS_PER_TENANT = 3
    entity, other_tenant = device(), uuid.UUID(int=8).bytes
    assert writer.commit([Write(TENANT, [(entity.bytes, now, {"a": 1, "b": 1})])]) == {}
    refused = writer.commit(
        [
            Write(TENANT, [(entity.bytes, now + 1, {"c": 1, "d": 1})]),
            Write(TENANT, [(entity.bytes, now + 2, {"a": 2})]),
            Write(other_tenant, [(device().bytes, now, {"e": 1, "f": 1, "g": 1})]),
        ]
    )
    assert {index: why.code for index, why in refused.items()} == {0: "key_limit"}
    assert services.latest(entity, ["a"]) == {"a": Point(now + 2, 2)}


def test_a_batch_that_is_rolled_back_leaves_no_key_number_that_does_not_exist(writer: IngestWriter, now: int) -> None:
    entity = device()
    broken: Any = {"fresh": 2**80}
    with pytest.raises(Exception, match="too large"):
        writer.commit([Write(TENANT, [(entity.bytes, now, broken)])])
    assert writer.commit([Write(TENANT, [(entity.bytes, now, {"fresh": 1})])]) == {}
    assert services.latest(entity) == {"fresh": Point(now, 1)}


def test_a_lost_connection_is_reported_as_unavailable_and_the_same_batch_succeeds_later(
    writer: IngestWriter, now: int
) -> None:
    entity = device()
    writer.commit([Write(TENANT, [(entity.bytes, now, {"a": 1})])])
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'thingsboard ingest' "
            "AND datname = current_database()"
        )
    batch = [Write(TENANT, [(entity.bytes, now + 1, {"a": 2})])]
    with pytest.raises(Unavailable):
        writer.commit(batch)
    assert writer.commit(batch) == {}
    assert services.latest(entity) == {"a": Point(now + 1, 2)}


def lose_the_answer(monkeypatch: pytest.MonkeyPatch, took_place: bool | None) -> list[Any]:
    """The next COMMIT gets no answer. None: the server is still busy with it, on the connection in the list returned."""
    real = psycopg.Connection.execute
    kept: list[Any] = []

    def without_an_answer(self: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
        if query == "COMMIT":
            monkeypatch.undo()
            if took_place:
                real(self, query)
            if took_place is None:
                kept.append(self)
                monkeypatch.setattr(
                    IngestWriter, "_drop_connection", lambda writer: setattr(writer, "_connection", None)
                )
            else:
                self.close()
            raise errors.OperationalError("server closed the connection unexpectedly")
        return real(self, query, *args, **kwargs)

    monkeypatch.setattr(psycopg.Connection, "execute", without_an_answer)
    return kept


@pytest.mark.parametrize("took_place", [True, False])
def test_after_a_commit_without_an_answer_the_server_is_asked_what_became_of_it(
    writer: IngestWriter, now: int, took_place: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    entity = device()
    writer.commit([Write(TENANT, [(entity.bytes, now, {"a": 1})])])
    lose_the_answer(monkeypatch, took_place)
    batch = [Write(TENANT, [(entity.bytes, now + 1, {"a": 2})])]
    with pytest.raises(Unavailable):
        writer.commit(batch)
    if took_place:  # somebody else moves on: writing the batch once more would undo that
        services.save(uuid.UUID(bytes=TENANT), entity, [(now + 1, {"a": 3})])
    assert writer.commit(batch) == {}
    assert services.latest(entity) == {"a": Point(now + 1, 3 if took_place else 2)}


def test_what_a_commit_without_an_answer_left_out_is_still_refused_later(
    writer: IngestWriter, now: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    entity = device()
    lose_the_answer(monkeypatch, took_place=True)
    batch = [Write(TENANT, [(entity.bytes, now, {"": 1})]), Write(TENANT, [(entity.bytes, now, {"a": 1})])]
    with pytest.raises(Unavailable):
        writer.commit(batch)
    assert {index: why.code for index, why in writer.commit(batch).items()} == {0: "key"}
    assert services.latest(entity) == {"a": Point(now, 1)}


def test_a_commit_that_the_server_is_still_busy_with_is_waited_for(
    writer: IngestWriter, now: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    entity = device()
    slow = lose_the_answer(monkeypatch, took_place=None)
    batch = [Write(TENANT, [(entity.bytes, now, {"a": 1})])]
    with pytest.raises(Unavailable):
        writer.commit(batch)
    monkeypatch.undo()
    with ThreadPoolExecutor(1) as pool:
        later = pool.submit(writer.commit, batch)
        with connection.cursor() as cursor:
            query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%ts_writer%'"
            until(lambda: (cursor.execute(query), cursor.fetchone())[1] == (1,))
        slow[0].execute("COMMIT")
        services.save(uuid.UUID(bytes=TENANT), entity, [(now, {"a": 2})])
        assert later.result(10) == {}
    slow[0].close()
    assert services.latest(entity) == {"a": Point(now, 2)}


def test_two_writers_on_the_same_series_never_lose_a_point(now: int) -> None:
    entities = [device() for _ in range(20)]

    def write(first: int) -> None:
        writer = IngestWriter()
        for start in range(first, 200, 2):
            stamps = [(entity.bytes, now + start, {"a": start, "b": start}) for entity in entities]
            assert writer.commit([Write(TENANT, [stamp]) for stamp in (stamps if first else reversed(stamps))]) == {}
        writer.close()

    keys.cache.clear()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write, (0, 1)))
    for entity in entities:
        assert len(everything(entity, "a")["a"]) == 200
        assert services.latest(entity, ["b"]) == {"b": Point(now + 199, 199)}


def test_the_stores_own_connections_go_to_the_database_that_django_uses() -> None:
    with connect_module.connect("thingsboard test") as own:
        assert own.info.dbname == connection.settings_dict["NAME"]
