"""Nobody waits for somebody else's flood, nor for somebody else's poison."""

import itertools
import os
import signal
import uuid
from collections.abc import Sequence
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction

from rules.engine.drain import Drain
from rules.engine.fairness import Turns
from rules.node import Msg, Outcome
from rules.nodes.action.save_time_series import SaveTimeSeries
from rules.nodes.filter.message_type_switch import MessageTypeSwitch
from telemetry import services
from telemetry.points import Point
from telemetry.query import HistoryQuery
from telemetry.services import latest
from telemetry.store.connect import parameters
from tests.cast import Cast
from tests.rules.engine.world import drain, make_chain, queue, telemetry, waiting
from thingsboard.kernel import outbox
from thingsboard.kernel.models import DeadLetter, OutboxRow
from thingsboard.kernel.outbox.claims import Flow

CHAIN = ([(MessageTypeSwitch, {}), (SaveTimeSeries, {})], [(0, 1, "Post telemetry")])


def flow(tenant: uuid.UUID, lane: int = 0) -> Flow:
    return Flow(outbox.flow_id(tenant.bytes, "Main", lane), tenant, "Main", lane)


def test_tenants_are_served_by_time_however_many_flows_they_have() -> None:
    turns, one, other = Turns(), uuid.uuid4(), uuid.uuid4()
    ready = [*(flow(one, lane) for lane in range(4)), flow(other)]
    served = {one: 0.0, other: 0.0}
    for _ in range(100):
        chosen = turns.next(ready)
        seconds = 0.2 if chosen.tenant_id == one else 0.01
        served[chosen.tenant_id] += seconds
        turns.served(chosen, 100, seconds)
    assert abs(served[one] - served[other]) <= 0.2


def test_who_was_idle_comes_next_and_has_saved_up_nothing() -> None:
    turns, busy, late = Turns(), uuid.uuid4(), uuid.uuid4()
    for _ in range(50):
        turns.served(turns.next([flow(busy)]), 100, 0.2)
    assert turns.next([flow(busy), flow(late)]).tenant_id in (busy, late)
    chosen = []
    for _ in range(6):
        turn = turns.next([flow(busy), flow(late)])
        turns.served(turn, 100, 0.2)
        chosen.append(turn.tenant_id)
    assert chosen.count(late) == chosen.count(busy) == 3


def test_the_lanes_of_a_tenant_take_turns() -> None:
    turns, tenant = Turns(), uuid.uuid4()
    ready = [flow(tenant, lane) for lane in range(4)]
    chosen = []
    for _ in range(8):
        turn = turns.next(ready)
        turns.served(turn, 100, 0.1)
        chosen.append(turn.lane)
    assert sorted(chosen[:4]) == sorted(chosen[4:]) == [0, 1, 2, 3]


@pytest.mark.django_db(transaction=True)
def test_a_message_behind_the_flood_of_another_tenant_is_processed_before_it_ends(cast: Cast) -> None:
    for tenant in (cast.acme, cast.globex):
        make_chain(tenant.pk, *CHAIN)
    foreign, flooding = cast.foreign_device.pk, cast.device.pk
    OutboxRow.objects.all().delete()
    for start in range(0, 12_000, 400):
        rows = [telemetry(flooding, b'{"t":%d}' % number, 1000 + number) for number in range(start, start + 400)]
        with transaction.atomic():
            outbox.append_many(cast.acme.pk, rows)
    queue(cast.globex.pk, telemetry(foreign, b'{"t":1}'))
    worker = Drain()
    for turn in itertools.count():
        assert turn < 10
        for group in range(2):
            worker.work(group, 0.0, linger_s=0.0)
        if latest(foreign):
            break
    assert waiting() > 2_000
    drain(worker)
    worker.close()
    assert latest(flooding)["t"].value == 11_999


@pytest.mark.django_db(transaction=True)
def test_a_message_that_ends_its_worker_is_buried_and_those_around_it_are_processed(cast: Cast) -> None:
    """What kills a worker is not seen by it: only that a run was begun, several times, and never ended."""
    make_chain(cast.acme.pk, *CHAIN)
    device = cast.device.pk
    OutboxRow.objects.all().delete()
    queue(cast.acme.pk, *[telemetry(device, b'{"t":%d}' % number, 1000 + number) for number in range(8)])
    deaths = 0
    while waiting():
        connection.close()  # a child must not speak on its parent's
        deaths += _worker_that_dies_of(b'{"t":5}')
        assert deaths < 40
    assert deaths >= 3
    (letter,) = DeadLetter.objects.filter(type="POST_TELEMETRY_REQUEST")
    assert outbox.decode(letter.body)[0].data == b'{"t":5}'
    assert "ended its worker" in letter.error
    assert [point.value for point in history(device)] == [0, 1, 2, 3, 4, 6, 7]


def _worker_that_dies_of(body: bytes) -> bool:
    """Work the queue off in a process of its own, which is killed once a node meets the message; whether it was."""
    pid = os.fork()
    if pid == 0:
        try:
            run = SaveTimeSeries.run

            def deadly(self: SaveTimeSeries, ctx: Any, messages: Sequence[Msg]) -> Sequence[Outcome]:
                if any(msg.data.raw == body for msg in messages):
                    os.kill(os.getpid(), signal.SIGKILL)
                return run(self, ctx, messages)

            SaveTimeSeries.run = deadly  # type: ignore[method-assign]
            drain()
        finally:
            os._exit(0)
    _, status = os.waitpid(pid, 0)
    return os.WIFSIGNALED(status)


def history(device: uuid.UUID) -> list[Point]:
    found = services.history(device, HistoryQuery(["t"], 0, 10_000, descending=False))
    return found["t"]


@pytest.mark.django_db(transaction=True)
def test_a_run_that_the_database_gives_up_is_no_sign_of_a_deadly_message(cast: Cast) -> None:
    make_chain(cast.acme.pk, *CHAIN)
    device = cast.device.pk
    OutboxRow.objects.all().delete()
    queue(cast.acme.pk, telemetry(device, b'{"t":1}'))
    with psycopg.connect(**parameters()) as other:
        other.execute("LOCK TABLE ts_latest")
        for _ in range(12):
            worker = Drain()
            connection.ensure_connection()
            connection.connection.execute("SET lock_timeout = 10")
            drain_once(worker)
            worker.close()
        assert (waiting(), DeadLetter.objects.filter(type="POST_TELEMETRY_REQUEST").count()) == (1, 0)
        assert OutboxRow.objects.get().attempts == 0
    drain()
    assert latest(device)["t"].value == 1


def drain_once(worker: Drain) -> None:
    for group in range(2):
        worker.work(group, 0.0, linger_s=0.0)
