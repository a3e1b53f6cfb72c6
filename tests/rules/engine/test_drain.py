"""Messages that are in the queue go through the chains, and what the chains did is there exactly when they are gone."""

import pytest
from django.db import close_old_connections, connection, transaction

from alarms.models import Alarm
from rules.engine.drain import Drain
from rules.nodes.action.create_alarm import CreateAlarm
from rules.nodes.action.save_time_series import SaveTimeSeries
from rules.nodes.filter.message_type_filter import MessageTypeFilter
from rules.nodes.filter.message_type_switch import MessageTypeSwitch
from telemetry.services import latest
from tests.cast import Cast
from tests.rules.engine.world import drain, make_chain, queue, telemetry, waiting
from thingsboard.kernel import outbox
from thingsboard.kernel.models import DeadLetter, OutboxRow
from thingsboard.kernel.time import now_ms

pytestmark = pytest.mark.django_db(transaction=True)


def letters() -> list[DeadLetter]:
    """Of telemetry: what happens to the cast itself goes through the chains, too."""
    return list(DeadLetter.objects.filter(type="POST_TELEMETRY_REQUEST"))


def points() -> int:
    """In history, the old ones included that TimescaleDB keeps apart."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM ts_kv_all")
        return int(cursor.fetchone()[0])


def test_telemetry_goes_through_the_root_chain_into_the_store_and_raises_an_alarm(cast: Cast) -> None:
    make_chain(
        cast.acme.pk,
        [(MessageTypeSwitch, {}), (SaveTimeSeries, {}), (MessageTypeFilter, {}), (CreateAlarm, {"alarmType": "Hot"})],
        [(0, 1, "Post telemetry"), (1, 2, "success"), (2, 3, "True")],
    )
    device = cast.device.pk
    queue(cast.acme.pk, *[telemetry(device, b'{"t":%d}' % number, 1000 + number) for number in range(20)])
    drain()
    assert waiting() == 0
    assert not letters()
    assert points() == 20
    assert latest(device)["t"] == (1019, 19)
    alarm = Alarm.objects.get(originator_id=device)
    assert (alarm.type, alarm.start_ts, alarm.cleared) == ("Hot", 1000, False)


def test_alarms_of_a_device_whose_clock_is_ahead_are_updated(cast: Cast) -> None:
    make_chain(cast.acme.pk, [(CreateAlarm, {"alarmType": "Load"})])
    device, ahead = cast.device.pk, now_ms() + 3_600_000
    OutboxRow.objects.all().delete()  # that it was created
    queue(cast.acme.pk, *[telemetry(device, b'{"t":1}', ahead + n) for n in range(3)])
    drain()
    alarm = Alarm.objects.get(originator_id=device)
    assert (alarm.start_ts, alarm.end_ts, letters()) == (ahead, ahead, [])


def test_what_is_stored_already_is_not_stored_again(cast: Cast) -> None:
    make_chain(cast.acme.pk, [(MessageTypeSwitch, {}), (SaveTimeSeries, {})], [(0, 1, "Post telemetry")])
    queue(cast.acme.pk, telemetry(cast.device.pk, b'{"t":1}', stored=True))
    drain()
    assert waiting() == 0
    assert points() == 0


def test_a_message_of_an_unknown_node_is_a_dead_letter_that_says_why(cast: Cast) -> None:
    make_chain(cast.acme.pk, [("org.example.Strange", {})])
    queue(cast.acme.pk, telemetry(cast.device.pk, b'{"t":1}'))
    drain()
    assert waiting() == 0
    (letter,) = letters()
    assert "org.example.Strange" in letter.error
    assert (letter.tenant_id, letter.originator_id, letter.queue) == (cast.acme.pk, cast.device.pk, "Main")


def test_a_message_that_the_database_refuses_fails_alone(cast: Cast) -> None:
    make_chain(cast.acme.pk, [(CreateAlarm, {"alarmType": "${kind}"})])
    good = [telemetry(cast.device.pk, b"{}", number) for number in range(8)]
    bad = telemetry(cast.device.pk, b"{}", 99)._replace(metadata={"kind": "x" * 300})
    fine = [each._replace(metadata={"kind": f"Kind {number}"}) for number, each in enumerate(good)]
    queue(cast.acme.pk, *fine[:4], bad, *fine[4:])
    drain()
    assert waiting() == 0
    assert Alarm.objects.filter(type__startswith="Kind").count() == 8
    assert len(letters()) == 1


def test_a_drain_keeps_its_connection_from_task_to_task(cast: Cast) -> None:
    """With it goes what is known of empty flows: the next look would walk over everything that was ever processed."""
    worker = Drain()
    drain(worker)
    raw = connection.connection
    connection.settings_dict["CONN_MAX_AGE"], before = 0, connection.settings_dict["CONN_MAX_AGE"]
    try:
        drain(worker)
        close_old_connections()
        drain(worker)
        assert connection.connection is raw
    finally:
        connection.settings_dict["CONN_MAX_AGE"] = before
        worker.close()


def test_what_nobody_understands_is_put_aside_and_stops_nobody(cast: Cast) -> None:
    make_chain(cast.acme.pk, [(SaveTimeSeries, {})])
    device = cast.device.pk
    OutboxRow.objects.all().delete()
    queue(cast.acme.pk, telemetry(device, b'{"t":1}'))
    OutboxRow.objects.update(body=b"\xc1 no msgpack")
    strange = telemetry(device, b'{"t":2}').row()
    with transaction.atomic():
        rows = [telemetry(device, b'{"t":3}').row(), (strange[0], "SPACESHIP", *strange[2:])]
        outbox.Appender().append(connection.connection, cast.acme.pk.bytes, rows)
    drain()
    assert waiting() == 0
    assert latest(device)["t"].value == 3
    assert sorted(DeadLetter.objects.values_list("type", "originator_type")) == [
        ("POST_TELEMETRY_REQUEST", "SPACESHIP"),
        ("UNREADABLE", "TENANT"),
    ]
