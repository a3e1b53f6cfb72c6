"""When devices count as active: time, the timeout of each device, several processes at once, and never a second alarm."""

import itertools
import random
import threading
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connections
from django.test import Client

from devices.models import Device
from devices.services import activity
from devices.services.activity import Report
from devices.services.activity_rules import ChangeKind, State, judge
from devices.services.devices import DeviceFields, create_device, delete_device
from devices.tasks import review_activity
from telemetry import bulk, erasure, services
from telemetry.models import AttributeKv, TenantKey
from telemetry.points import Scope
from telemetry.store.connect import connect
from tests.cast import Cast, api, create, error
from tests.waiting import until
from thingsboard.kernel.time import now_ms, set_source

MINUTES = 60_000
TIMEOUT = 10 * MINUTES


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    """Committed, because transports write on connections of their own."""
    return Cast()


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    yield
    set_source(None)


def ahead(ms: int) -> int:
    """Set the clock to so many ms after the real one; returns the present."""
    set_source(lambda: time.time() + ms / 1000)
    return now_ms()


def path(device: Device, verb: str = "values/attributes/SERVER_SCOPE") -> str:
    return f"/api/plugins/telemetry/DEVICE/{device.pk}/{verb}"


def seen(cast: Cast, device: Device) -> dict[str, Any]:
    """The server attributes, as the API gives them."""
    return {each["key"]: each["value"] for each in api(cast.alice).get(path(device)).json()}


def heard(*reports: Report) -> list[activity.Change]:
    """As a transport reports."""
    with connect("thingsboard activity test") as connection:
        return activity.record(connection, reports)


def test_a_new_device_is_not_active_and_says_so(cast: Cast) -> None:
    made = create(api(cast.alice), name="Fresh", type="default").json()
    device = Device.objects.get(pk=made["id"]["id"])
    assert seen(cast, device) == {"active": False}
    assert api(cast.alice).get(f"/api/device/info/{device.pk}").json()["active"] is False
    assert error(api(cast.gina).get(path(device))) == (404, 32)


def test_the_attributes_of_activity_are_not_counted_as_keys_of_the_tenant(cast: Cast, settings: Any) -> None:
    settings.TB_MAX_KEYS_PER_TENANT = 1
    heard(Report(cast.device.pk, now_ms(), connected=now_ms()))
    assert TenantKey.objects.count() == 0
    assert create(api(cast.alice), path(cast.device, "SERVER_SCOPE"), own=1).status_code == 200


def test_a_device_that_never_was_active_becomes_inactive_once_and_not_before_its_timeout(cast: Cast) -> None:
    device = cast.device
    ahead(TIMEOUT - MINUTES)
    review_activity()
    assert seen(cast, device) == {"active": False}
    alarm = ahead(TIMEOUT + MINUTES)
    review_activity()
    found = seen(cast, device)
    assert found.keys() == {"active", "inactivityAlarmTime"} and not found["active"]
    assert alarm <= found["inactivityAlarmTime"] <= now_ms()
    ahead(10 * TIMEOUT)
    review_activity()
    assert seen(cast, device) == found


def test_a_device_of_before_gets_its_attribute_at_the_next_look(cast: Cast) -> None:
    old = Device.objects.create(tenant=cast.acme, profile=cast.device.profile, name="Old")
    review_activity()
    assert seen(cast, old) == {"active": False}


def test_reports_out_of_order_never_move_a_time_back(cast: Cast) -> None:
    device, now = cast.device, now_ms()
    heard(Report(device.pk, now, connected=now - 10, disconnected=now - 20))
    for late in (
        Report(device.pk, now - 5),
        Report(device.pk, now - 5, connected=now - 30),
        Report(device.pk, now - 5, disconnected=now - 40),
    ):
        assert heard(late) == []
    assert seen(cast, device) == {
        "active": True,
        "lastActivityTime": now,
        "lastConnectTime": now - 10,
        "lastDisconnectTime": now - 20,
    }


def test_each_change_is_told_once_in_the_order_of_time(cast: Cast) -> None:
    device, now = cast.device, now_ms()
    report = Report(device.pk, now, connected=now - 10, disconnected=now - 20)
    kinds = [ChangeKind.DISCONNECT, ChangeKind.CONNECT, ChangeKind.ACTIVITY]
    assert [(each.kind, each.tenant_id) for each in heard(report)] == [(kind, cast.acme.pk) for kind in kinds]
    assert heard(report) == []
    ahead(2 * TIMEOUT)
    assert [each.kind for each in activity.review()] == [ChangeKind.INACTIVITY]
    assert activity.review() == []


def test_activity_that_is_reported_after_its_time_does_not_make_a_device_active(cast: Cast) -> None:
    now = now_ms()
    ahead(2 * TIMEOUT)
    assert heard(Report(cast.device.pk, now)) == []
    assert seen(cast, cast.device) == {"active": False, "lastActivityTime": now}


def test_a_new_timeout_holds_at_once_and_without_it_the_default(cast: Cast) -> None:
    device, client = cast.device, api(cast.alice)
    heard(Report(device.pk, now_ms()))
    ahead(2 * MINUTES)
    assert create(client, path(device, "SERVER_SCOPE"), inactivityTimeout=MINUTES).status_code == 200
    found = seen(cast, device)
    assert found["active"] is False and found["inactivityAlarmTime"] >= found["lastActivityTime"]
    create(client, path(device, "SERVER_SCOPE"), inactivityTimeout=3 * MINUTES)
    found = seen(cast, device)
    assert found["active"] is True and found["inactivityAlarmTime"] == 0, "the alarm was not due yet"
    create(client, path(device, "SERVER_SCOPE"), inactivityTimeout=MINUTES)
    assert seen(cast, device)["active"] is False
    assert client.delete(path(device, "SERVER_SCOPE") + "?keys=inactivityTimeout").status_code == 200
    assert seen(cast, device)["active"] is True


@pytest.mark.parametrize("odd", [0, -1, "soon", True, {"a": 1}, 1.5, 2**63 - 1])
def test_a_timeout_that_is_none_is_the_default_and_spoils_nothing(cast: Cast, odd: Any) -> None:
    heard(Report(cast.device.pk, now_ms()), Report(cast.bobs_device.pk, now_ms()))
    assert create(api(cast.alice), path(cast.device, "SERVER_SCOPE"), inactivityTimeout=odd).status_code == 200
    ahead(TIMEOUT - MINUTES)
    review_activity()
    assert seen(cast, cast.device)["active"] is True
    ahead(TIMEOUT + MINUTES)
    review_activity()
    assert seen(cast, cast.device)["active"] is (odd == 2**63 - 1)
    assert seen(cast, cast.bobs_device)["active"] is False


def test_values_that_somebody_wrote_over_ours_are_put_right(cast: Cast) -> None:
    now = now_ms()
    heard(Report(cast.device.pk, now))
    nonsense = {"active": "maybe", "lastActivityTime": "never", "inactivityAlarmTime": -(2**63)}
    assert create(api(cast.alice), path(cast.device, "SERVER_SCOPE"), **nonsense).status_code == 200
    review_activity()
    assert seen(cast, cast.device)["active"] is False
    heard(Report(cast.device.pk, now + 1))
    found = seen(cast, cast.device)
    assert (found["active"], found["lastActivityTime"]) == (True, now + 1)


def test_writing_telemetry_over_the_api_is_not_activity(cast: Cast) -> None:
    assert create(api(cast.alice), path(cast.device, "timeseries/ANY"), a=1).status_code == 200
    assert seen(cast, cast.device) == {"active": False}


def test_reports_of_devices_that_are_gone_leave_nothing_behind(cast: Cast) -> None:
    device, key = cast.device, cast.device.pk
    heard(Report(key, now_ms()))
    delete_device(device)
    erasure.work_off()
    assert heard(Report(key, now_ms() + 1), Report(uuid.uuid4(), now_ms(), connected=now_ms())) == []
    assert AttributeKv.objects.count() == 0


def test_a_device_that_is_heard_while_the_clock_gives_it_up_stays_active(cast: Cast) -> None:
    device = cast.device
    heard(Report(device.pk, now_ms()))
    now = ahead(2 * TIMEOUT)
    found: list[activity.Change] = []

    def look() -> None:
        try:
            found.extend(activity.review())
        finally:
            connections.close_all()

    watcher = threading.Thread(target=look)
    with connect("thingsboard activity test") as connection, connection.transaction():
        assert bulk.advance(connection, Scope.SERVER, "lastActivityTime", now, {device.pk: now})
        watcher.start()
        until(lambda: _waiting_for_a_lock())
    watcher.join()
    assert found == []
    assert seen(cast, device) == {"active": True, "lastActivityTime": now}


def test_a_device_that_is_heard_while_it_is_being_given_up_is_active_in_the_end(cast: Cast) -> None:
    device = cast.device
    heard(Report(device.pk, now_ms()))
    now = ahead(2 * TIMEOUT)
    told: list[activity.Change] = []
    speaker = threading.Thread(target=lambda: told.extend(heard(Report(device.pk, now))))
    with connect("thingsboard activity test") as connection, connection.transaction():
        bulk.lock(connection, Scope.SERVER, "lastActivityTime", [device.pk])
        speaker.start()
        until(lambda: _waiting_for_a_lock())
        bulk.write(connection, Scope.SERVER, now, {device.pk: {"active": False, "inactivityAlarmTime": now - 1}})
    speaker.join()
    assert [each.kind for each in told] == [ChangeKind.ACTIVITY]
    assert seen(cast, device) == {"active": True, "lastActivityTime": now, "inactivityAlarmTime": now - 1}


def _waiting_for_a_lock() -> bool:
    with connect("thingsboard activity look") as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        ).fetchone()
    return bool(row and row[0])


def test_a_review_finds_exactly_those_about_whom_there_is_something_to_say(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activity, "PAGE", 7)
    monkeypatch.setattr(activity, "AT_ONCE", 3)
    now = ahead(100 * TIMEOUT)
    chance = random.Random(20261121)
    times = [None, 0, now - 2 * TIMEOUT, now - TIMEOUT, now - TIMEOUT + MINUTES, now - 1]
    states = list(itertools.product([None, True, False], times, times, [None, TIMEOUT, 3 * TIMEOUT, -5]))
    expected = {}
    for active, last, alarm, timeout in chance.sample(states, 150):
        device = Device(tenant=cast.acme, profile=cast.device.profile, name=str(uuid.uuid4()))
        device.created_time = chance.choice([now - 50 * TIMEOUT, now - MINUTES])
        device.save()
        names = {"active": active, "lastActivityTime": last, "inactivityAlarmTime": alarm, "inactivityTimeout": timeout}
        values = {name: value for name, value in names.items() if value is not None}
        if values:
            bulk_write(device, values)
        default = int(django_settings.TB_DEVICE_INACTIVITY_TIMEOUT * 1000)
        verdict = judge(State.of(device.created_time, values, default), None, now)
        if verdict.values:
            expected[device.pk] = verdict.values["active"]
    set_source(lambda: now / 1000)
    found: list[uuid.UUID] = []
    last_id: uuid.UUID | None = activity.NOBODY
    while last_id is not None:
        last_id, some = activity._page(last_id)
        found += some
    assert set(found) - {cast.device.pk} == expected.keys()
    review_activity()
    for key, active in expected.items():
        assert activity.times(key)["active"] is active
    assert activity.review() == []


def bulk_write(device: Device, values: dict[str, Any]) -> None:
    services.save_attributes(device.tenant_id, device.pk, Scope.CLIENT, {"other": 1})
    with connect("thingsboard activity test") as connection, connection.transaction():
        bulk.write(connection, Scope.SERVER, now_ms(), {device.pk: values})


def test_the_list_of_devices_says_who_is_active(cast: Cast) -> None:
    create_device(cast.acme.pk, DeviceFields(name="Other"))
    heard(Report(cast.device.pk, now_ms()))
    page = api(cast.alice).get("/api/tenant/deviceInfos?pageSize=10&page=0&sortProperty=name").json()
    assert {each["name"]: each["active"] for each in page["data"]} == {"Meter": True, "Other": False}


def test_the_devices_page_of_the_admin_shows_its_times(cast: Cast, client: Client) -> None:
    heard(Report(cast.device.pk, 1_790_000_000_000))
    client.force_login(cast.sam)
    page = client.get(f"/admin/devices/device/{cast.device.pk}/change/").content.decode()
    assert "<dt>lastActivityTime</dt><dd>2026-09-21 14:13:20</dd>" in page
    assert "<dt>active</dt><dd>False</dd>" in page
    heard(Report(cast.device.pk, 2**62))
    assert str(2**62) in client.get(f"/admin/devices/device/{cast.device.pk}/change/").content.decode()
