"""Timers: a message that waits goes on once, when its time has come or when somebody answers it."""

import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction

from tests.queued import queued
from thingsboard.kernel import time, timers
from thingsboard.kernel.ids import EntityId, EntityType
from thingsboard.kernel.models import DeadLetter
from thingsboard.kernel.models import Timer as Row
from thingsboard.kernel.outbox import Message, Position
from thingsboard.kernel.timers import Answer, Timer

pytestmark = pytest.mark.django_db(transaction=True)

DEVICE = EntityId(EntityType.DEVICE, uuid.uuid4())
TENANT, STRANGER = uuid.uuid4(), uuid.uuid4()
NODE = uuid.uuid4()
KEY = uuid.uuid4()
NOW = 1_800_000_000_000
BEHIND = Position(b"c" * 16, NODE.bytes, "Failure")


@pytest.fixture(autouse=True)
def clock() -> Iterator[Callable[[int], None]]:
    """Stands still, and moves when told (ms from its beginning)."""

    def at(ms: int) -> None:
        time.set_source(lambda: (NOW + ms) / 1000)

    at(0)
    yield at
    time.set_source(None)


def raw() -> psycopg.Connection[Any]:
    connection.ensure_connection()
    found: psycopg.Connection[Any] = connection.connection
    return found


def timer(due: int = 1000, data: bytes = b"{}", **others: Any) -> Timer:
    message = Message("POST_TELEMETRY_REQUEST", DEVICE, data, {"error": "TIMEOUT"}, 5, position=BEHIND)
    return Timer(NOW + due, NODE, message.row(), **others)


def put(*given: Timer, tenant: uuid.UUID = TENANT) -> None:
    with transaction.atomic():
        timers.set_timers(raw(), tenant, given)


def put_single(*given: Timer, keep: bool) -> None:
    with transaction.atomic():
        timers.set_single(raw(), TENANT, given, keep=keep)


def fire(most: int = timers.firing.MOST) -> timers.Fired:
    with transaction.atomic():
        return timers.fire(raw(), most)


def answer(*given: Answer, tenant: uuid.UUID = TENANT) -> frozenset[uuid.UUID]:
    with transaction.atomic():
        return timers.answer(raw(), tenant, given).keys


def fired(tenant: uuid.UUID | None = None) -> list[bytes]:
    return [message.data for _, message in queued(tenant)]


def test_a_timer_fires_once_when_it_is_due_and_not_before(clock: Callable[[int], None]) -> None:
    put(timer(1000, queue="HighPriority"))
    assert fire().timers == 0
    clock(1000)
    assert fire().timers == 1
    assert fire().timers == 0
    ((queue, message),) = queued(TENANT)
    assert (queue, message.position, message.ts) == ("HighPriority", BEHIND, 5)


def test_timers_fire_in_the_order_of_their_times_whatever_the_slice(clock: Callable[[int], None]) -> None:
    put(*[timer(due, b"%d" % due) for due in (30, 10, 50, 20, 40)])
    clock(60)
    while fire(2).more:
        pass
    fire(2)
    assert fired() == [b"10", b"20", b"30", b"40", b"50"]


def test_a_flood_of_one_tenant_holds_up_nobody_else(clock: Callable[[int], None]) -> None:
    put(*[timer(number, b"%d" % number) for number in range(500)])
    put(timer(900, b'"the stranger"'), tenant=STRANGER)
    clock(1000)
    first = fire(100)
    assert first.more and 50 <= first.timers <= 100
    assert fired(STRANGER) == [b'"the stranger"']
    while fire(100).more:
        pass
    assert fired(TENANT) == [b"%d" % number for number in range(500)]


def test_what_is_rolled_back_was_never_set_and_never_fired(clock: Callable[[int], None]) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        timers.set_timers(raw(), TENANT, [timer()])
        raise RuntimeError
    assert not Row.objects.exists()
    put(timer(0))
    with pytest.raises(RuntimeError), transaction.atomic():
        assert timers.fire(raw()).timers == 1
        raise RuntimeError
    assert not queued() and fire().timers == 1


def test_a_single_timer_is_kept_or_replaced() -> None:
    put_single(timer(1000, b"1", key=KEY), timer(7, b"other", key=uuid.uuid4()), keep=True)
    put_single(timer(500, b"2", key=KEY), keep=True)
    assert Row.objects.get(key=KEY).due == NOW + 1000
    put_single(timer(500, b"3", key=KEY, queue="Other"), keep=False)
    found = Row.objects.get(key=KEY)
    assert (found.due, found.queue, found.size) == (NOW + 500, "Other", len(found.body))
    with pytest.raises(ValueError, match="needs a key"):
        put_single(timer(), keep=True)


def test_a_single_timer_that_is_kept_does_not_fire_before_who_keeps_it_has_committed(
    clock: Callable[[int], None],
) -> None:
    put_single(timer(0, key=KEY), keep=True)
    with psycopg.connect(**_own()) as other:
        timers.set_single(other, TENANT, [timer(0, key=KEY)], keep=True)
        assert fire().timers == 0
        other.commit()
    assert fire().timers == 1


def test_an_answer_takes_the_message_away_and_has_it_go_on_otherwise(clock: Callable[[int], None]) -> None:
    put(timer(1000, b'{"error":"TIMEOUT"}', key=KEY), timer(1000, key=uuid.uuid4()))
    given = Answer(KEY, "Success", b'{"ok":true}', {"error": None, "by": "a device"})
    assert answer(given) == {KEY}
    assert answer(given) == frozenset()
    ((_, message),) = queued()
    assert (message.data, message.metadata) == (b'{"ok":true}', {"by": "a device"})
    assert message.position == BEHIND._replace(relation="Success")
    clock(2000)
    assert fire().timers == 1  # the other one


def test_nobody_answers_what_is_a_strangers_or_a_single_one() -> None:
    put(timer(key=KEY))
    put_single(timer(key=KEY), keep=False)
    assert answer(Answer(KEY, "Success"), tenant=STRANGER) == frozenset()
    assert answer(Answer(KEY, "Success")) == {KEY}
    assert Row.objects.get().single


def test_an_answer_and_the_time_have_one_winner(clock: Callable[[int], None]) -> None:
    put(timer(0, b'"late"', key=KEY))
    with psycopg.connect(**_own()) as other:
        assert timers.answer(other, TENANT, [Answer(KEY, "Success", b'"answered"')]).keys == {KEY}
        assert fire().timers == 0  # whoever answers has it already
        other.rollback()
    with psycopg.connect(**_own()) as other:
        assert timers.fire(other).timers == 1
        other.commit()
    assert answer(Answer(KEY, "Success", b'"answered"')) == frozenset()
    assert fired() == [b'"late"']


def test_only_one_fires_at_a_time(clock: Callable[[int], None]) -> None:
    put(timer(0), timer(0))
    with psycopg.connect(**_own()) as other:
        assert timers.fire(other, 1).timers == 1
        assert fire().timers == 0
        other.commit()
    assert fire().timers == 1


def test_timers_go_with_their_owner_and_with_their_tenant() -> None:
    put(timer(), timer()._replace(owner=uuid.uuid4()))
    put(timer(), tenant=STRANGER)
    assert timers.waiting_of_owner(raw(), TENANT, NODE) == 1
    assert timers.waiting_of_tenant(raw(), TENANT).messages == 2
    assert timers.waiting_of_tenant(raw(), TENANT).size == sum(row.size for row in Row.objects.filter(tenant_id=TENANT))
    with transaction.atomic():
        assert timers.cancel_owners(raw(), [NODE]) == 2
        assert timers.cancel_tenants(raw(), [TENANT]) == 1
    assert not Row.objects.exists()


def test_a_message_that_cannot_be_read_holds_up_nobody(clock: Callable[[int], None]) -> None:
    put(timer(0, b"1"), timer(0, b"2"))
    Row.objects.filter(pk=Row.objects.order_by("pk")[0].pk).update(body=b"\xc1")
    assert fire().timers == 2
    assert fired() == [b"2"]
    assert DeadLetter.objects.get().type == "UNREADABLE"


def _own() -> dict[str, Any]:
    """How to open another connection to the test's database."""
    found: dict[str, Any] = raw().info.get_parameters()
    return {**found, "password": raw().info.password}


def _plan(sql: str, parameters: Sequence[Any]) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
        cursor.execute("EXPLAIN " + sql, parameters)
        return "\n".join(row[0] for row in cursor.fetchall())


def test_a_look_for_what_is_due_reads_only_that() -> None:
    from thingsboard.kernel.timers.firing import _DUE

    assert "timer_due" in _plan(_DUE, [NOW, 100])
