"""Traces are started, listed and read over our own API, and in the admin."""

from typing import Any

import pytest
from django.test import Client

from rules.models import Trace, TraceDemand
from rules.nodes.action.create_alarm import CreateAlarm
from rules.nodes.action.save_time_series import SaveTimeSeries
from rules.nodes.filter.message_type_switch import MessageTypeSwitch
from tests.cast import Cast, api
from tests.rules.engine.world import drain, make_chain, queue, telemetry
from thingsboard.kernel.ids import new_id
from thingsboard.kernel.models import OutboxRow

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _nothing_else(cast: Cast) -> None:
    """Making a device is an event too: here nothing but what a test queues is."""
    assert cast.device and cast.bobs_device
    OutboxRow.objects.all().delete()


def demand(client: Any, key: Any, kind: str = "DEVICE", **more: Any) -> Any:
    body = {"originator": {"entity_type": kind, "id": str(key)}, **more}
    return client.post("/api/v1/traceDemands", body, format="json")


def run(cast: Cast) -> None:
    """Two messages of the device go through a chain, in which the second one fails."""
    make_chain(
        cast.acme.pk,
        [(MessageTypeSwitch, {}), (SaveTimeSeries, {}), (CreateAlarm, {"alarmType": "Hot"})],
        [(0, 1, "Post telemetry"), (1, 2, "Success")],
    )
    queue(cast.acme.pk, telemetry(cast.device.pk, b'{"t":1}'), telemetry(cast.device.pk, b"[[<b>]]"))
    drain()


def test_a_trace_is_started_listed_and_read(cast: Cast) -> None:
    client = api(cast.alice)
    made = demand(client, cast.device.pk, messages=5, minutes=2)
    assert made.status_code == 201
    assert (made.json()["messages"], made.json()["taken"], made.json()["active"]) == (5, 0, True)
    assert made.json()["user_name"] == "alice@acme.example"
    run(cast)
    listed = client.get("/api/v1/traces").json()
    assert listed["count"] == 2 and "timeline" not in listed["results"][0]
    assert [each["demand_id"] for each in listed["results"]] == [made.json()["id"]] * 2
    (failed,) = client.get("/api/v1/traces?failed=true").json()["results"]
    (done,) = client.get("/api/v1/traces?failed=false").json()["results"]
    assert failed["error"] and done["error"] == ""
    found = client.get(f"/api/v1/traces/{done['id']}").json()
    assert [each["nodeName"] for each in found["timeline"]["steps"]] == ["node 0", "node 1", "node 2"]
    assert found["originator"] == {"entity_type": "DEVICE", "id": str(cast.device.pk)}
    assert found["total_us"] == found["wait_us"] + found["run_us"] + found["write_us"]
    assert client.get(f"/api/v1/traceDemands/{made.json()['id']}").json()["taken"] == 2


def test_traces_are_found_by_what_is_known_of_them(cast: Cast) -> None:
    client = api(cast.alice)
    demand(client, cast.device.pk)
    run(cast)
    one = Trace.objects.earliest("created_time")
    for query, count in (
        (f"originator_id={cast.device.pk}", 2),
        (f"originator_id={cast.bobs_device.pk}", 0),
        (f"chain_id={one.chain_id}", 2),
        (f"message_id={one.message_id}", 1),
        ("type=POST_TELEMETRY_REQUEST", 2),
        ("type=OTHER", 0),
        ("originator_type=ASSET", 0),
        (f"until={one.created_time}", 0),
        (f"since={one.created_time - 60_000}", 2),
    ):
        assert client.get(f"/api/v1/traces?{query}").json()["count"] == count, query
    assert client.get("/api/v1/traces?failed=perhaps").status_code == 400


def test_a_demand_is_ended_and_stays_in_the_list(cast: Cast) -> None:
    client = api(cast.alice)
    key = demand(client, cast.device.pk).json()["id"]
    assert client.delete(f"/api/v1/traceDemands/{key}").status_code == 204
    assert client.get("/api/v1/traceDemands?active=true").json()["count"] == 0
    assert client.get("/api/v1/traceDemands?active=false").json()["results"][0]["id"] == key
    run(cast)
    assert not Trace.objects.exists()


def test_a_new_demand_for_the_same_device_replaces_the_old_one_and_there_are_so_many_at_most(cast: Cast) -> None:
    client = api(cast.alice)
    first = demand(client, cast.device.pk).json()["id"]
    demand(client, cast.device.pk)
    assert not TraceDemand.objects.get(pk=first).active
    TraceDemand.objects.bulk_create(
        TraceDemand(tenant=cast.acme, originator_type="DEVICE", originator_id=new_id(), messages=1, until=2**62)
        for _ in range(19)
    )
    assert demand(client, cast.device.pk).status_code == 201
    refused = demand(client, cast.bobs_device.pk)
    assert refused.status_code == 400 and "20" in refused.json()["detail"]


@pytest.mark.parametrize("wrong", [{"messages": 0}, {"messages": 101}, {"minutes": 0}, {"minutes": 61}])
def test_how_many_messages_and_minutes_is_bounded(cast: Cast, wrong: dict[str, int]) -> None:
    answer = demand(api(cast.alice), cast.device.pk, **wrong)
    assert answer.status_code == 400 and next(iter(wrong)) in answer.json()["detail"]


def test_strangers_neither_start_nor_see_traces(cast: Cast) -> None:
    key = demand(api(cast.alice), cast.device.pk).json()["id"]
    run(cast)
    trace = Trace.objects.latest("id").pk
    gina = api(cast.gina)
    assert demand(gina, cast.device.pk).status_code == 404
    assert demand(gina, cast.acme.pk, "TENANT").status_code == 404
    assert demand(gina, new_id(), "RPC").status_code == 404
    assert gina.get("/api/v1/traces").json()["count"] == gina.get("/api/v1/traceDemands").json()["count"] == 0
    for path in (f"traces/{trace}", f"traceDemands/{key}"):
        assert gina.get(f"/api/v1/{path}").status_code == 404
    assert gina.delete(f"/api/v1/traceDemands/{key}").status_code == 404
    for user in (cast.bob, cast.sam):
        assert demand(api(user), cast.device.pk).status_code == 403
        assert api(user).get(f"/api/v1/traces/{trace}").status_code == 403


# The admin.


def browser(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_an_operator_starts_a_trace_from_the_devices_page_and_reads_it(cast: Cast) -> None:
    page = browser(cast.alice)
    link = f"/admin/rules/trace/start/?device={cast.device.pk}"
    assert link in page.get(f"/admin/devices/device/{cast.device.pk}/change/").content.decode()
    assert 'value="Meter"' in page.get(link).content.decode()
    answer = page.post(link, {"device": "Meter", "messages": "5", "minutes": "5"}, follow=True)
    assert "The next 5 messages of Meter are traced" in answer.content.decode()
    run(cast)
    listed = page.get("/admin/rules/trace/").content.decode()
    assert "Failed" in listed and "Done" in listed and "Meter" in listed
    done = page.get(f"/admin/rules/trace/{Trace.objects.get(error='').pk}/change/").content.decode()
    for text in ("1. node 0", "2. node 1", "3. node 2", "Post telemetry", "metadata.isNewAlarm", "In nodes"):
        assert text in done
    failed = page.get(f"/admin/rules/trace/{Trace.objects.exclude(error='').get().pk}/change/").content.decode()
    assert "<strong>Failed.</strong>" in failed and "[[&lt;b&gt;]]" in failed and "<b>]]" not in failed


def test_an_operator_ends_a_trace(cast: Cast) -> None:
    page = browser(cast.alice)
    page.post("/admin/rules/trace/start/", {"device": str(cast.device.pk), "messages": "5", "minutes": "5"})
    found = TraceDemand.objects.get()
    answer = page.post("/admin/rules/trace/start/", {"end": str(found.pk)}, follow=True)
    assert "No further messages" in answer.content.decode()
    found.refresh_from_db()
    assert not found.active


def test_the_form_says_what_is_wrong(cast: Cast) -> None:
    page = browser(cast.alice)
    answer = page.post("/admin/rules/trace/start/", {"device": "Nobody", "messages": "101", "minutes": "5"})
    assert "less than or equal to 100" in answer.content.decode()
    answer = page.post("/admin/rules/trace/start/", {"device": "Nobody", "messages": "1", "minutes": "5"})
    assert "There is no device of that name" in answer.content.decode()
    assert page.post("/admin/rules/trace/start/", {"end": "x"}).status_code == 404
    assert not TraceDemand.objects.exists()


def test_another_tenants_operator_finds_nothing_of_it_in_the_admin(cast: Cast) -> None:
    demand(api(cast.alice), cast.device.pk)
    run(cast)
    trace, found = Trace.objects.latest("id"), TraceDemand.objects.get()
    gina = browser(cast.gina)
    assert gina.get(f"/admin/rules/trace/{trace.pk}/change/").status_code == 404
    assert str(trace.pk) not in gina.get("/admin/rules/trace/").content.decode()
    assert gina.post("/admin/rules/trace/start/", {"end": str(found.pk)}).status_code == 404
    body = {"device": str(cast.device.pk), "messages": "1", "minutes": "1"}
    assert "There is no device" in gina.post("/admin/rules/trace/start/", body).content.decode()
    assert browser(cast.sam).get(f"/admin/rules/trace/{trace.pk}/change/").status_code == 200
    assert browser(cast.sam).get("/admin/rules/trace/start/").status_code == 404
    assert browser(cast.bob).get("/admin/rules/trace/").status_code in {302, 403, 404}
