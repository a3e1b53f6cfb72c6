"""One alarm at a time over ThingsBoard's REST API: raising, acknowledging, clearing, assigning and deleting it."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from alarms.models import Alarm
from devices.services.assignments import assign
from devices.services.shares import share_with
from tenants.models import AuditLog
from tests.alarms.scene import about, body_of, path_of, raise_alarm, told
from tests.cast import Cast, api, create, error
from thingsboard.kernel.entities import Action
from thingsboard.kernel.ids import NULL_UUID, new_id


def test_an_alarm_is_raised_and_read_as_thingsboards(cast: Cast) -> None:
    made = raise_alarm(cast.alice, cast.device, details={"temperature": 90}, startTs=5, endTs=7, propagate=True)
    assert made["originator"] == about(cast.device)
    assert (made["type"], made["name"], made["severity"], made["status"]) == ("Hot", "Hot", "MAJOR", "ACTIVE_UNACK")
    assert (made["startTs"], made["endTs"], made["ackTs"], made["clearTs"], made["assignTs"]) == (5, 7, 0, 0, 0)
    assert (made["details"], made["propagate"], made["propagateRelationTypes"]) == ({"temperature": 90}, True, [])
    assert (made["tenantId"]["id"], made["customerId"], made["assigneeId"]) == (str(cast.acme.pk), None, None)
    assert api(cast.alice).get(path_of(made)).json() == made
    info = api(cast.alice).get(f"/api/alarm/info/{made['id']['id']}").json()
    assert {name: info[name] for name in made} == made
    assert (info["originatorName"], info["originatorLabel"], info["assignee"]) == ("Meter", "Meter", None)


def test_raising_it_again_updates_the_active_one_and_a_cleared_one_is_followed_by_another(cast: Cast) -> None:
    first = raise_alarm(cast.alice, cast.device, startTs=5)
    again = raise_alarm(cast.alice, cast.device, severity="CRITICAL", details={"now": "worse"})
    assert (again["id"], again["startTs"], again["severity"]) == (first["id"], 5, "CRITICAL")
    assert again["endTs"] > 5 and again["details"] == {"now": "worse"}
    assert raise_alarm(cast.alice, cast.device, "Wet")["id"] != first["id"]
    assert api(cast.alice).post(path_of(first, "clear")).json()["status"] == "CLEARED_UNACK"
    assert raise_alarm(cast.alice, cast.device)["id"] != first["id"]
    assert Alarm.objects.count() == 3


def test_a_save_with_an_id_replaces_that_alarm_but_not_what_it_is_about(cast: Cast) -> None:
    made = raise_alarm(cast.alice, cast.device, details={"a": 1})
    other = {**made, "severity": "WARNING", "type": "Other", "originator": about(cast.bobs_device), "details": None}
    saved = create(api(cast.alice), "/api/alarm", **other).json()
    assert (saved["id"], saved["severity"], saved["details"]) == (made["id"], "WARNING", None)
    assert (saved["type"], saved["originator"]) == ("Hot", about(cast.device))
    done = create(
        api(cast.alice),
        "/api/alarm",
        **{
            **saved,
            "acknowledged": True,
            "ackTs": 11,
            "cleared": True,
            "clearTs": 12,
            "assigneeId": user_id(cast.alice),
        },
    ).json()
    assert (done["status"], done["ackTs"], done["clearTs"]) == ("CLEARED_ACK", 11, 12)
    assert done["assigneeId"] == user_id(cast.alice) and done["assignTs"] > 12
    kept = create(api(cast.alice), "/api/alarm", **{**done, "acknowledged": False, "assigneeId": None}).json()
    assert (kept["status"], kept["assigneeId"]) == ("CLEARED_ACK", None)


def test_an_alarm_is_acknowledged_and_cleared_once(cast: Cast) -> None:
    made, client = raise_alarm(cast.alice, cast.device), api(cast.alice)
    seen = client.post(path_of(made, "ack")).json()
    assert (seen["status"], seen["originatorName"]) == ("ACTIVE_ACK", "Meter") and seen["ackTs"] >= made["createdTime"]
    again = client.post(path_of(made, "ack"))
    assert error(again) == (400, 31) and again.json()["message"] == "Alarm was already acknowledged!"
    over = client.post(path_of(made, "clear")).json()
    assert over["status"] == "CLEARED_ACK" and over["clearTs"] >= seen["ackTs"]
    again = client.post(path_of(made, "clear"))
    assert error(again) == (400, 31) and again.json()["message"] == "Alarm was already cleared!"


def test_an_alarm_is_somebodys_to_look_after(cast: Cast) -> None:
    made, client = raise_alarm(cast.alice, cast.bobs_device), api(cast.alice)
    given = client.post(path_of(made, "assign", str(cast.bob.pk))).json()
    assert given["assigneeId"] == user_id(cast.bob) and given["assignTs"] > 0
    assert given["assignee"] == {"id": user_id(cast.bob), "firstName": None, "lastName": None, "email": cast.bob.email}
    again = client.post(path_of(made, "assign", str(cast.bob.pk)))
    assert again.json()["message"] == "Alarm was already assigned to this user!"
    assert client.delete(path_of(made, "assign")).json()["assigneeId"] is None
    again = client.delete(path_of(made, "assign"))
    assert error(again) == (400, 31) and again.json()["message"] == "Alarm was already unassigned!"
    for foreign in (cast.gina.pk, cast.sam.pk, new_id()):
        assert error(client.post(path_of(made, "assign", str(foreign)))) == (404, 32)


def test_a_deleted_alarm_is_gone(cast: Cast) -> None:
    made, client = raise_alarm(cast.alice, cast.device), api(cast.alice)
    answer = client.delete(path_of(made))
    assert (answer.status_code, answer.json()) == (200, True)
    for again in (client.delete(path_of(made)), client.get(path_of(made)), client.post(path_of(made, "ack"))):
        assert error(again) == (404, 32)
    assert raise_alarm(cast.alice, cast.device)["id"] != made["id"]


def test_a_stranger_finds_no_alarm_and_raises_none(cast: Cast) -> None:
    made, gina = raise_alarm(cast.alice, cast.device), api(cast.gina)
    for answer in (
        gina.get(path_of(made)),
        gina.get(f"/api/alarm/info/{made['id']['id']}"),
        gina.post(path_of(made, "ack")),
        gina.post(path_of(made, "clear")),
        gina.post(path_of(made, "assign", str(cast.gina.pk))),
        gina.delete(path_of(made, "assign")),
        gina.delete(path_of(made)),
        create(gina, "/api/alarm", **made),
        create(gina, "/api/alarm", originator=about(cast.device), type="Hot", severity="MAJOR"),
    ):
        assert error(answer) == (404, 32)
    assert Alarm.objects.get().status == "ACTIVE_UNACK"


def test_customer_users_look_after_the_alarms_of_their_devices_alone(cast: Cast) -> None:
    bob = api(cast.bob)
    own = raise_alarm(cast.bob, cast.bobs_device)
    assert own["customerId"]["id"] == str(cast.bistro.pk)
    assert bob.post(path_of(own, "ack")).status_code == 200
    other = raise_alarm(cast.alice, cast.device)
    assert error(bob.get(path_of(other))) == error(bob.post(path_of(other, "ack"))) == (404, 32)
    refused = create(bob, "/api/alarm", originator=about(cast.device), type="x", severity="MAJOR")
    assert error(refused) == (404, 32)
    assert bob.delete(path_of(own)).json() is True


def test_an_alarm_goes_on_being_seen_by_whose_its_device_becomes(cast: Cast) -> None:
    made = raise_alarm(cast.alice, cast.device)
    assert error(api(cast.bob).get(path_of(made))) == (404, 32)
    assign(cast.device, cast.bistro)
    assert api(cast.bob).get(path_of(made)).status_code == 200


def test_who_is_shown_a_device_sees_its_alarms_and_who_controls_it_acknowledges_them(cast: Cast) -> None:
    made, bob = raise_alarm(cast.alice, cast.device), api(cast.bob)
    share_with(cast.device, cast.bob, Action.VIEW)
    assert bob.get(path_of(made)).status_code == 200
    assert error(bob.post(path_of(made, "ack"))) == (403, 20)
    refused = create(bob, "/api/alarm", originator=about(cast.device), type="x", severity="MAJOR")
    assert error(refused) == (403, 20)
    share_with(cast.device, cast.bob, Action.CONTROL)
    assert bob.post(path_of(made, "ack")).status_code == 200
    assert error(bob.delete(path_of(made))) == (403, 20)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"type": None}, "type should be specified"),
        ({"type": 5}, "type: expected a text"),
        ({"severity": "HIGH"}, "expected one of CRITICAL, MAJOR, MINOR, WARNING, INDETERMINATE"),
        ({"originator": None}, "originator should be specified"),
        ({"originator": {"id": "x", "entityType": "DEVICE"}}, "originator: Invalid UUID"),
        ({"originator": {"id": str(NULL_UUID), "entityType": "TOASTER"}}, "Unknown entityType"),
        ({"originator": {"id": str(NULL_UUID), "entityType": "ALARM"}}, "not about another alarm"),
        ({"startTs": "now"}, "startTs: expected milliseconds"),
        ({"startTs": 9, "endTs": 8}, "can't be greater"),
        ({"details": ["x" * 70_000]}, "at most 65536 bytes"),
        ({"propagate": "yes"}, "propagate: expected true or false"),
        ({"propagateRelationTypes": "Contains"}, "propagateRelationTypes: expected at most"),
        ({"acknowledged": 1}, "acknowledged: expected true or false"),
        ({"assigneeId": "bob"}, "assigneeId"),
    ],
)
def test_what_is_no_alarm_is_refused_in_words(cast: Cast, wrong: dict[str, Any], sentence: str) -> None:
    good = {"originator": about(cast.device), "type": "Hot", "severity": "MAJOR"}
    answer = create(api(cast.alice), "/api/alarm", **{**good, **wrong})
    assert error(answer) == (400, 31) and sentence in answer.json()["message"]
    assert not Alarm.objects.exists() and not told()


def test_the_rule_engine_hears_of_every_deed_and_the_audit_log_has_it(cast: Cast) -> None:
    client = api(cast.alice)
    made = raise_alarm(cast.alice, cast.bobs_device)
    raise_alarm(cast.alice, cast.bobs_device, severity="CRITICAL")
    client.post(path_of(made, "ack"))
    client.post(path_of(made, "assign", str(cast.bob.pk)))
    client.delete(path_of(made, "assign"))
    client.post(path_of(made, "clear"))
    client.delete(path_of(made))
    heard = told()
    kinds = ["ALARM_ACK", "ALARM_ASSIGNED", "ALARM_UNASSIGNED", "ALARM_CLEAR", "ALARM_DELETE"]
    assert [message.type for message in heard] == ["ALARM", "ALARM", *kinds]
    for message in heard:
        assert (message.originator.id, message.customer_id) == (cast.bobs_device.pk, cast.bistro.pk)
        assert body_of(message)["id"] == made["id"]
        said = message.metadata or {}
        assert (said["userId"], said["userEmail"]) == (str(cast.alice.pk), cast.alice.email)
        assert (said["entityName"], said["entityType"], said["customerId"]) == ("Hot", "DEVICE", str(cast.bistro.pk))
    flags = [sorted(name for name, value in (each.metadata or {}).items() if value == "true") for each in heard]
    assert flags == [
        ["isNewAlarm"], ["isExistingAlarm", "isSeverityUpdated"], [], [], [], ["isClearedAlarm"], [],
    ]  # fmt: skip
    assert body_of(heard[5])["status"] == "CLEARED_ACK"
    log = AuditLog.objects.filter(entity_type="ALARM").order_by("created_time", "id")
    assert [row.action for row in log] == ["ADDED", "UPDATED", *kinds]
    assert {(row.entity_name, str(row.entity_id), row.user_id, row.tenant_id) for row in log} == {
        ("Hot", made["id"]["id"], cast.alice.pk, cast.acme.pk)
    }
    assert log[1].data["before"]["severity"] == "MAJOR" and log[2].data["after"]["acknowledged"] is True


def test_the_audit_log_is_asked_for_what_is_done_to_alarms_alone(cast: Cast, client: Client) -> None:
    made = raise_alarm(cast.alice, cast.device)
    api(cast.alice).post(path_of(made, "ack"))
    raise_alarm(cast.gina, cast.foreign_device)
    client.force_login(cast.sam)
    for action, found in (("ALARM_ACK", 1), ("ALARM_CLEAR", 0)):
        page = api(cast.alice).get(f"/api/v1/auditLogs?action={action}").json()
        assert [row["entity_id"] for row in page["results"]] == [made["id"]["id"]] * found
        assert api(cast.gina).get(f"/api/v1/auditLogs?action={action}").json()["results"] == []
        shown = client.get(f"/admin/tenants/auditlog/?action__exact={action}")
        assert shown.context["cl"].result_count == found
    assert api(cast.alice).get("/api/v1/auditLogs?action=ALARM").status_code == 400


def test_what_is_refused_is_in_the_audit_log_and_not_in_the_queue(cast: Cast) -> None:
    made = raise_alarm(cast.alice, cast.device)
    before = len(told())
    api(cast.alice).delete(path_of(made, "assign"))
    row = AuditLog.objects.get(action="ALARM_UNASSIGNED")
    assert (row.success, row.failure) == (False, "Alarm was already unassigned!")
    assert len(told()) == before


@pytest.mark.django_db(transaction=True)
def test_of_many_who_raise_the_same_alarm_at_once_one_creates_it_and_all_others_update_it() -> None:
    cast = Cast()
    device, clients, gate = cast.device, [api(cast.alice) for _ in range(6)], threading.Barrier(6)

    def use(client: Any) -> str:
        gate.wait()
        try:
            answer = create(client, "/api/alarm", originator=about(device), type="Hot", severity="MAJOR")
        finally:
            connection.close()
        assert answer.status_code == 200, answer.content
        return str(answer.json()["id"]["id"])

    with ThreadPoolExecutor(len(clients)) as pool:
        assert len(set(pool.map(use, clients))) == 1
    assert Alarm.objects.count() == 1
    flags = [(message.metadata or {}) for message in told()]
    assert sum("isNewAlarm" in each for each in flags) == 1
    assert sum("isExistingAlarm" in each for each in flags) == len(clients) - 1
    actions = list(AuditLog.objects.filter(entity_type="ALARM").values_list("action", flat=True))
    assert sorted(actions) == ["ADDED"] + ["UPDATED"] * (len(clients) - 1)


def user_id(user: Any) -> dict[str, str]:
    return {"entityType": "USER", "id": str(user.pk)}
