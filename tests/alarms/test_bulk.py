"""Alarms in bulk, on connections of their own, as the rule engine uses them."""

import threading
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction

from alarms.models import Alarm
from alarms.services.bulk import (
    AlarmRace,
    AlarmRequest,
    AlarmState,
    assigned,
    cleared,
    load,
    load_active,
    raised,
    write,
)
from tenants.services.customers import create_customer
from tests.cast import Cast
from tests.waiting import until
from thingsboard.kernel.ids import EntityId, EntityType

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> Cast:
    cast = Cast()
    assert cast.device  # made here: threads have connections of their own
    return cast


@pytest.fixture
def engines() -> Iterator[list["psycopg.Connection[Any]"]]:
    """Two connections, as two workers have them."""
    parameters = connection.get_connection_params()
    wanted = {name: parameters[name] for name in ("dbname", "user", "password", "host", "port") if name in parameters}
    with ExitStack() as stack:
        yield [stack.enter_context(psycopg.connect(**wanted)) for _ in range(2)]


def about(world: Cast, kind: str = "Hot", **more: Any) -> AlarmRequest:
    device = EntityId(EntityType.DEVICE, world.device.pk)
    return AlarmRequest(tenant_id=world.acme.pk, originator=device, type=kind, severity="MAJOR", **more)


def raise_on(engine: "psycopg.Connection[Any]", *requests: AlarmRequest) -> list[AlarmState]:
    """What a worker does with a batch, without the commit."""
    known = load_active(engine, [(each.originator.id, each.type) for each in requests])
    made = [raised(known.get((each.originator.id, each.type)), each, 10) for each in requests]
    write(engine, [each.state for each in made], {each.state.id for each in made if each.created})
    return [each.state for each in made]


def test_what_is_written_is_read_back_as_it_was(world: Cast, engines: list[Any]) -> None:
    engine = engines[0]
    requests = [
        about(world, "a", details={"z": [1, 2.5, None, "ü"], "a": {"b": 1e30}}, relation_types=("Contains", "Manages")),
        about(world, "b", details="text", propagate=True, customer_id=world.bistro.pk),
        about(world, "c", details=0, propagate_to_owner=True, propagate_to_tenant=True, start_ts=3, end_ts=4),
        about(world, "d"),
    ]
    made = raise_on(engine, *requests)
    engine.commit()
    keys = [state.key for state in made]
    assert load_active(engine, [*keys, *keys, (uuid.uuid4(), "a")]) == {state.key: state for state in made}
    changed = [assigned(cleared(state, {"over": True}, 20), world.alice.pk, 21) for state in made]
    write(engine, changed, set())
    engine.commit()
    assert load_active(engine, keys) == {}
    assert load(engine, [state.id for state in made]) == {state.id: state for state in changed}


def test_djangos_connection_serves_as_well(world: Cast) -> None:
    with transaction.atomic():
        connection.ensure_connection()
        (made,) = raise_on(connection.connection, about(world, details={"a": [1]}))
        assert load_active(connection.connection, [made.key]) == {made.key: made}
    assert Alarm.objects.get().details == {"a": [1]}


def test_five_hundred_alarms_are_cleared_and_five_hundred_raised_at_once(world: Cast, engines: list[Any]) -> None:
    engine = engines[0]
    made = raise_on(engine, *(about(world, f"kind {n}") for n in range(500)))
    engine.commit()
    fresh = [raised(None, about(world, f"new {n}"), 10).state for n in range(500)]
    write(engine, [*(cleared(state, None, 20) for state in made), *fresh], {state.id for state in fresh})
    engine.commit()
    assert Alarm.objects.active().count() == 500 and Alarm.objects.count() == 1000


def test_an_alarm_may_follow_the_one_that_is_cleared_in_the_same_write(world: Cast, engines: list[Any]) -> None:
    engine = engines[0]
    (first,) = raise_on(engine, about(world))
    second = raised(None, about(world), 30).state
    write(engine, [second, cleared(first, None, 20)], {second.id})
    engine.commit()
    assert load_active(engine, [first.key])[first.key].id == second.id


def test_who_raises_the_same_alarm_second_is_told_so_and_updates_it_when_it_tries_again(
    world: Cast, engines: list[Any]
) -> None:
    quick, slow = engines
    assert load_active(slow, [(world.device.pk, "Hot")]) == {}
    (first,) = raise_on(quick, about(world))
    late = raised(None, about(world)._replace(severity="CRITICAL"), 20).state
    failure: list[BaseException] = []

    def insert() -> None:
        try:
            write(slow, [late], {late.id})
        except AlarmRace as error:
            failure.append(error)

    thread = threading.Thread(target=insert)
    thread.start()
    until(lambda: waits_for_a_lock(slow))
    quick.commit()
    thread.join(10)
    assert len(failure) == 1
    slow.rollback()
    (again,) = raise_on(slow, about(world)._replace(severity="CRITICAL"))
    slow.commit()
    assert (again.id, again.severity) == (first.id, "CRITICAL")
    assert Alarm.objects.count() == 1


def test_an_alarm_that_somebody_deleted_meanwhile_is_a_race_too(world: Cast, engines: list[Any]) -> None:
    (made,) = raise_on(engines[0], about(world))
    engines[0].commit()
    Alarm.objects.all().delete()
    with pytest.raises(AlarmRace):
        write(engines[0], [cleared(made, None, 20)], set())


def test_two_workers_that_want_the_same_alarms_in_other_orders_do_not_wait_in_a_circle(
    world: Cast, engines: list[Any]
) -> None:
    kinds = [f"kind {n}" for n in range(50)]
    for engine in engines:  # as with a large table: each wish looked up by the index, in the order in which they come
        engine.execute("SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off")
        engine.commit()
    raise_on(engines[0], *(about(world, kind) for kind in kinds))
    engines[0].commit()
    errors: list[BaseException] = []

    def work(engine: Any, order: list[str]) -> None:
        try:
            for _ in range(20):
                raise_on(engine, *(about(world, kind, details={"order": order[0]}) for kind in order))
                engine.commit()
        except BaseException as error:
            errors.append(error)

    orders = (kinds, kinds[::-1])
    threads = [threading.Thread(target=work, args=pair) for pair in zip(engines, orders, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not errors and not any(thread.is_alive() for thread in threads)
    assert Alarm.objects.count() == len(kinds)


def test_many_workers_leave_one_active_alarm(world: Cast, engines: list[Any]) -> None:
    """Each raises and clears the same alarm over and over, without looking at the others."""
    races: list[int] = []
    errors: list[BaseException] = []

    def work(engine: Any) -> None:
        done = 0
        try:
            while done < 30:
                try:
                    (made,) = raise_on(engine, about(world))
                    engine.commit()
                except AlarmRace:
                    engine.rollback()
                    races.append(1)
                    continue
                done += 1
                if done % 3 == 0:
                    found = load_active(engine, [made.key])
                    write(engine, [cleared(state, None, 20) for state in found.values()], set())
                    engine.commit()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(engine,)) for engine in engines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not errors and not any(thread.is_alive() for thread in threads)
    assert Alarm.objects.active().count() <= 1
    assert Alarm.objects.count() > 1


def test_a_customer_that_is_gone_or_another_tenants_is_nobodys(world: Cast, engines: list[Any]) -> None:
    foreign = create_customer(world.globex, "Elsewhere")
    raise_on(engines[0], about(world, "a", customer_id=uuid.uuid4()), about(world, "b", customer_id=foreign.pk))
    engines[0].commit()
    assert set(Alarm.objects.values_list("customer_id", flat=True)) == {None}


def waits_for_a_lock(engine: "psycopg.Connection[Any]") -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT wait_event_type FROM pg_stat_activity WHERE pid = %s", [engine.info.backend_pid])
        row = cursor.fetchone()
    return row is not None and row[0] == "Lock"
