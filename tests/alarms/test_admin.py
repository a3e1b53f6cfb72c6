"""Alarms in the operators' admin: who sees which, and that acknowledging and clearing go through the services."""

from typing import Any

from django.test import Client
from django.urls import reverse

from alarms.models import Alarm
from tenants.models import AuditLog, User
from tests.alarms.scene import raise_alarm, told
from tests.cast import Cast

ALARMS = "/admin/alarms/alarm/"
SCRIPT = "<script>alert(1)</script>"


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def page_of(alarm: Any, name: str = "change", *rest: str) -> str:
    return reverse(f"admin:alarms_alarm_{name}", args=[alarm["id"]["id"], *rest])


def act(client: Client, action: str, *alarms: Any) -> Any:
    selected = [alarm["id"]["id"] for alarm in alarms]
    return client.post(ALARMS, {"action": action, "_selected_action": selected}, follow=True)


def test_a_tenant_administrator_sees_its_own_alarms_with_what_they_are_about(cast: Cast) -> None:
    own = raise_alarm(cast.alice, cast.device, "Overheated", details={"why": SCRIPT})
    foreign = raise_alarm(cast.gina, cast.foreign_device, "Flooded")
    alice = browser(cast.alice)
    listed = alice.get(ALARMS).text
    assert "Overheated" in listed and "Meter" in listed and "Flooded" not in listed
    shown = alice.get(page_of(own)).text
    assert "Active, unacknowledged" in shown and SCRIPT not in shown and "&lt;script&gt;" in shown
    for name in ("change", "delete", "history"):
        assert alice.get(page_of(foreign, name)).status_code == 404, name
    assert alice.post(page_of(foreign, "deed", "clear")).status_code == 404
    act(alice, "clear", foreign)
    assert alice.post(page_of(foreign, "delete"), {"post": "yes"}).status_code == 404
    assert Alarm.objects.get(type="Flooded").status == "ACTIVE_UNACK"


def test_alarms_are_filtered(cast: Cast) -> None:
    raise_alarm(cast.alice, cast.device, "Overheated", "CRITICAL")
    raise_alarm(cast.alice, cast.bobs_device, "Flooded", "MINOR", cleared=True)
    alice = browser(cast.alice)
    for query, shown in (
        ("status=ACTIVE", {"Overheated"}),
        ("status=CLEARED_UNACK", {"Flooded"}),
        ("status=nonsense", {"Overheated", "Flooded"}),
        ("severity__exact=MINOR", {"Flooded"}),
        ("type=Overheated", {"Overheated"}),
        ("raised=24", {"Overheated", "Flooded"}),
        (f"originator_id={cast.device.pk}", {"Overheated"}),
        ("q=over", {"Overheated"}),
    ):
        page = alice.get(f"{ALARMS}?{query}")
        assert {alarm.type for alarm in page.context["cl"].result_list} == shown, query


def test_the_buttons_acknowledge_and_clear_by_the_services(cast: Cast) -> None:
    alarm, alice = raise_alarm(cast.alice, cast.device), browser(cast.alice)
    assert "Acknowledge</button>" in alice.get(page_of(alarm)).text
    assert alice.get(page_of(alarm, "deed", "acknowledge")).status_code == 405
    after = alice.post(page_of(alarm, "deed", "acknowledge"), follow=True).text
    assert "1 alarm acknowledged." in after and "Acknowledge</button>" not in after
    assert "already acknowledged" in alice.post(page_of(alarm, "deed", "acknowledge"), follow=True).text
    assert "1 alarm cleared." in alice.post(page_of(alarm, "deed", "clear"), follow=True).text
    assert alice.post(page_of(alarm, "deed", "explode")).status_code == 404
    assert Alarm.objects.get().status == "CLEARED_ACK"
    assert [message.type for message in told()] == ["ALARM", "ALARM_ACK", "ALARM_CLEAR"]
    deeds = AuditLog.objects.filter(entity_type="ALARM", success=True).order_by("created_time", "id")
    assert [(row.action, row.user_id) for row in deeds][1:] == [
        ("ALARM_ACK", cast.alice.pk),
        ("ALARM_CLEAR", cast.alice.pk),
    ]


def test_many_are_acknowledged_at_once_and_it_is_said_which_were_not(cast: Cast) -> None:
    alarms = [raise_alarm(cast.alice, cast.device, kind) for kind in ("a", "b")]
    seen = raise_alarm(cast.alice, cast.device, "c", acknowledged=True)
    answer = act(browser(cast.alice), "acknowledge", *alarms, seen).text
    assert "2 alarms acknowledged." in answer and "1 not acknowledged: Alarm was already acknowledged!" in answer
    assert Alarm.objects.filter(acknowledged=True).count() == 3


def test_nothing_is_removed_past_the_services(cast: Cast) -> None:
    alarm, alice = raise_alarm(cast.alice, cast.device), browser(cast.alice)
    act(alice, "delete_selected", alarm)
    assert Alarm.objects.count() == 1
    assert alice.post(page_of(alarm, "delete"), {"post": "yes"}).status_code == 302
    assert not Alarm.objects.exists() and told()[-1].type == "ALARM_DELETE"


def test_who_runs_the_installation_looks_at_all_alarms_and_changes_none(cast: Cast) -> None:
    alarm, sam = raise_alarm(cast.alice, cast.device), browser(cast.sam)
    raise_alarm(cast.gina, cast.foreign_device, "Flooded")
    listed = sam.get(ALARMS).text
    assert "Hot" in listed and "Flooded" in listed and 'value="acknowledge"' not in listed
    assert "Acknowledge</button>" not in sam.get(page_of(alarm)).text
    assert sam.post(page_of(alarm, "deed", "clear")).status_code == 404
    assert sam.post(page_of(alarm, "delete"), {"post": "yes"}).status_code == 403
    act(sam, "clear", alarm)
    assert Alarm.objects.get(type="Hot").status == "ACTIVE_UNACK"
    assert browser(cast.bob).get(ALARMS).status_code == 302
