"""What the rule chains hear of the activity of devices: with the state that is written, and once."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from devices.models import DeviceProfile
from devices.services import activity, activity_events
from devices.services.activity import Report
from devices.services.devices import delete_device
from telemetry import services
from telemetry.points import Scope
from telemetry.store.connect import connect
from tests.cast import Cast
from tests.queued import body, newly_queued, queued
from thingsboard.kernel.time import now_ms, set_source

MINUTES = 60_000


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    """Committed, because transports write on connections of their own; with one device, made before anybody listens."""
    cast = Cast()
    assert cast.device
    return cast


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    yield
    set_source(None)


def heard(*reports: Report) -> list[activity.Change]:
    with connect("thingsboard activity test") as connection:
        return activity.record(connection, reports)


def test_a_device_that_connects_and_is_active_is_told_of_with_its_state(cast: Cast) -> None:
    now = now_ms()
    with newly_queued(cast.acme.pk) as found:
        heard(Report(cast.device.pk, now + 1, connected=now))
        heard(Report(cast.device.pk, now + 2, connected=now))  # nothing that is new
    assert [message.type for message in found] == ["CONNECT_EVENT", "ACTIVITY_EVENT"]
    connect_event, active = found
    state = {
        "lastConnectTime": now,
        "lastActivityTime": now + 1,
        "lastDisconnectTime": 0,
        "lastInactivityAlarmTime": 0,
        "inactivityTimeout": 10 * MINUTES,
    }
    assert (body(connect_event), body(active)) == (state, {**state, "active": True})
    assert (connect_event.originator.id, connect_event.ts, active.ts) == (cast.device.pk, now, now + 1)
    assert active.metadata == {
        "deviceName": "Meter",
        "deviceLabel": "",
        "deviceType": "default",
        "ts": str(now + 1),
        "scope": "SERVER_SCOPE",
    }


def test_a_device_that_falls_silent_or_leaves_is_told_of_once(cast: Cast) -> None:
    now = now_ms()
    heard(Report(cast.device.pk, now, connected=now))
    services.save_attributes(cast.acme.pk, cast.device.pk, Scope.SERVER, {"inactivityTimeout": 5 * MINUTES})
    with newly_queued(cast.acme.pk) as found:
        heard(Report(cast.device.pk, 0, disconnected=now + 1))
        set_source(lambda: time.time() + 6 * 60)
        activity.review()
        activity.review()
    gone, silent = found
    assert (gone.type, body(gone)["lastDisconnectTime"]) == ("DISCONNECT_EVENT", now + 1)
    told = body(silent)
    assert (silent.type, told["active"], told["inactivityTimeout"]) == ("INACTIVITY_EVENT", False, 5 * MINUTES)
    assert told["lastInactivityAlarmTime"] == silent.ts


def test_events_of_devices_go_to_their_tenants_customers_and_queues(cast: Cast) -> None:
    DeviceProfile.objects.filter(tenant=cast.globex).update(default_queue_name="HighPriority")
    now = now_ms()
    devices = (cast.bobs_device, cast.foreign_device)
    with newly_queued(cast.acme.pk) as acmes, newly_queued(cast.globex.pk) as globexs:
        heard(*(Report(device.pk, 0, connected=now) for device in devices))
    assert [(message.originator.id, message.customer_id) for message in acmes] == [
        (cast.bobs_device.pk, cast.bistro.pk)
    ]
    assert [message.originator.id for message in globexs] == [cast.foreign_device.pk]
    assert queued(cast.globex.pk)[-1][0] == "HighPriority"


def test_a_usual_report_and_one_of_a_deleted_device_are_told_to_nobody(cast: Cast) -> None:
    now = now_ms()
    heard(Report(cast.device.pk, now))
    with newly_queued() as found:
        heard(Report(cast.device.pk, now + 1))
    assert found == []
    key = cast.device.pk
    delete_device(cast.device)
    with newly_queued() as found:
        heard(Report(key, now + 2, connected=now + 2))
    assert found == []


def test_state_and_event_are_written_together_or_not_at_all(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError

    now = now_ms()
    with monkeypatch.context() as broken, newly_queued() as found, pytest.raises(RuntimeError):
        broken.setattr(activity_events.Events, "append", fail)
        heard(Report(cast.device.pk, now, connected=now))
    assert found == []
    assert activity.times(cast.device.pk) == {"active": False}
    with newly_queued() as found:  # a report that is repeated loses nothing
        heard(Report(cast.device.pk, now, connected=now))
    assert [message.type for message in found] == ["CONNECT_EVENT", "ACTIVITY_EVENT"]
