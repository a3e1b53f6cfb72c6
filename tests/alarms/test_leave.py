"""What becomes of alarms when what they are about, whose they are, or who looks after them is deleted."""

import threading
from typing import Any

import pytest
from django.db import connection, transaction

from alarms.models import Alarm
from devices.services.devices import delete_device
from telemetry.models import Erasure
from tenants.services.customers import delete_customer
from tenants.services.tenants import delete_tenant
from tests.alarms.scene import about, path_of, raise_alarm, told
from tests.cast import Cast, api, create, error
from tests.waiting import until


def test_a_deleted_devices_alarms_go_with_it(cast: Cast) -> None:
    raise_alarm(cast.alice, cast.device)
    kept = raise_alarm(cast.alice, cast.bobs_device)
    delete_device(cast.device)
    assert [str(alarm.pk) for alarm in Alarm.objects.all()] == [kept["id"]["id"]]


def test_a_deleted_users_alarms_are_nobodys_to_look_after_and_the_rule_engine_hears_of_it(cast: Cast) -> None:
    made = raise_alarm(cast.alice, cast.device)
    api(cast.alice).post(path_of(made, "assign", str(cast.bob.pk)))
    assert api(cast.alice).delete(f"/api/user/{cast.bob.pk}").status_code == 200
    alarm = Alarm.objects.get()
    assert alarm.assignee_id is None and alarm.assign_ts >= made["createdTime"]
    last = told()[-1]
    assert (last.type, last.originator.id) == ("ALARM_UNASSIGNED", cast.device.pk)
    assert (last.metadata or {})["userId"] == str(cast.alice.pk)


def test_a_deleted_customers_alarms_are_its_tenants_alone(cast: Cast) -> None:
    raise_alarm(cast.alice, cast.bobs_device)
    of_customer = create(
        api(cast.alice),
        "/api/alarm",
        originator={"entityType": "CUSTOMER", "id": str(cast.bistro.pk)},
        type="Unpaid",
        severity="MINOR",
    ).json()
    assert of_customer["customerId"]["id"] == str(cast.bistro.pk)
    delete_customer(cast.bistro)
    alarm = Alarm.objects.get()
    assert (alarm.type, alarm.customer_id) == ("Hot", None)


def test_a_deleted_tenants_alarms_go_with_it_and_leave_nothing_to_erase(cast: Cast) -> None:
    raise_alarm(cast.alice, cast.device)
    kept = raise_alarm(cast.gina, cast.foreign_device)
    delete_tenant(cast.acme)
    assert [str(alarm.pk) for alarm in Alarm.objects.all()] == [kept["id"]["id"]]
    assert not Erasure.objects.filter(entity_type="ALARM").exists()


def test_no_values_are_kept_of_alarms(cast: Cast) -> None:
    made = raise_alarm(cast.alice, cast.device)
    path = f"/api/plugins/telemetry/ALARM/{made['id']['id']}/SERVER_SCOPE"
    assert create(api(cast.alice), path, a=1).status_code == 403
    assert error(api(cast.gina).get(f"/api/alarm/DEVICE/{about(cast.device)['id']}?pageSize=1&page=0")) == (404, 32)


@pytest.mark.django_db(transaction=True)
def test_no_alarm_is_raised_of_a_device_that_is_being_deleted() -> None:
    cast = Cast()
    client, said = api(cast.alice), {"originator": about(cast.device), "type": "Hot", "severity": "MAJOR"}
    answers: list[Any] = []

    def use() -> None:
        try:
            answers.append(create(client, "/api/alarm", **said))
        finally:
            connection.close()

    thread = threading.Thread(target=use)
    with transaction.atomic():
        delete_device(cast.device)
        thread.start()
        until(somebody_waits)
    thread.join(20)
    assert [error(answer) for answer in answers] == [(404, 32)]
    assert not Alarm.objects.exists() and not told()


def somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")  # of an earlier look in the same transaction
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return bool(cursor.fetchone()[0])
