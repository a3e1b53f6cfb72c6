"""The second opinion itself: it must be able to find what it looks for."""

import time
import uuid
from collections.abc import Callable

import psycopg
import pytest
from django.db import connection

from telemetry.store.connect import connect
from telemetry.writer import IngestWriter, Write
from tests.e2e.account import Findings, check
from thingsboard.kernel.time import now_ms
from thingsboard.loadtest import packets
from thingsboard.loadtest.device import Ledger
from thingsboard.loadtest.journal import Journal

pytestmark = pytest.mark.django_db(transaction=True)

SENT, STEP = 100, 20
ACKNOWLEDGED = ((0, 89), (92, 95))
KEYS = ["pulseCounter", "leakage", "batteryLevel"]


@pytest.fixture
def run() -> Callable[..., Findings]:
    """A run of one device is stored; `run(statement, server_time=False)` spoils it and has it checked."""
    device, base = uuid.uuid4(), now_ms()
    ledger = Ledger("loadtest 00001", str(device), base, STEP, SENT, ACKNOWLEDGED)
    values = [{"pulseCounter": packets.counter_of(n), "leakage": False, "batteryLevel": 93} for n in range(SENT)]
    tenant = uuid.uuid4().bytes
    writer = IngestWriter()
    writer.commit([Write(tenant, [(device.bytes, base + n * STEP, values[n])]) for n in range(SENT)])
    writer.close()

    def spoil(statement: str = "", server_time: bool = False) -> Findings:
        if statement:
            with connection.cursor() as cursor:
                stamps = {"at": base + 7 * STEP, "unacknowledged": base + 90 * STEP, "last": base + (SENT - 1) * STEP}
                cursor.execute(statement, {"device": device, **stamps})
                assert cursor.rowcount == 1
        with connect("thingsboard test") as own:
            own.row_factory = psycopg.rows.tuple_row
            return check(own, Journal(server_time, KEYS, base, int(time.time() * 1000), True, [ledger]))

    return spoil


POINT = "entity_id = %(device)s AND ts = %(at)s AND key_id = (SELECT id FROM ts_key WHERE name = 'pulseCounter')"


@pytest.mark.parametrize("server_time", [False, True])
def test_a_whole_run_is_clean(run: Callable[..., Findings], server_time: bool) -> None:
    findings = run(server_time=server_time)
    assert findings == Findings(stored=3 * SENT, acknowledged=3 * 94)
    assert findings.clean


@pytest.mark.parametrize("server_time", [False, True])
def test_one_acknowledged_row_that_is_missing_is_found(run: Callable[..., Findings], server_time: bool) -> None:
    findings = run(f"DELETE FROM ts_kv WHERE {POINT}", server_time)
    assert findings.lost == 1
    assert not findings.clean


@pytest.mark.parametrize("server_time", [False, True])
def test_two_messages_that_became_one_are_found(run: Callable[..., Findings], server_time: bool) -> None:
    findings = run(f"UPDATE ts_kv SET long_v = long_v + 1 WHERE {POINT}", server_time)
    assert findings.lost + findings.wrong == 1


def test_an_unacknowledged_row_may_be_missing(run: Callable[..., Findings]) -> None:
    assert run(f"DELETE FROM ts_kv WHERE {POINT.replace('%(at)s', '%(unacknowledged)s')}").clean


def test_a_row_that_nobody_sent_is_found(run: Callable[..., Findings]) -> None:
    assert run(f"UPDATE ts_kv SET ts = ts + 1 WHERE {POINT}").stranger == 1


def test_a_newest_value_that_is_not_the_newest_point_is_found(run: Callable[..., Findings]) -> None:
    spoiled = POINT.replace("ts = %(at)s", "ts = %(last)s")
    assert run(f"UPDATE ts_latest SET ts = ts - 1 WHERE {spoiled}").stale == 1


def test_stamps_out_of_the_order_of_sending_are_found(run: Callable[..., Findings]) -> None:
    assert run(f"UPDATE ts_kv SET ts = ts + 21 WHERE {POINT}", server_time=True).disorder == 1
