"""What could not be processed can be read, run again and dropped, by whom it belongs to, and is not kept for ever."""

import logging
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from rules.nodes.action.save_time_series import SaveTimeSeries
from rules.nodes.filter.message_type_switch import MessageTypeSwitch
from rules.services import dead_letters
from rules.tasks import trim_dead_letters
from telemetry.services import latest
from tenants.models import AuditLog
from tenants.services.tenants import delete_tenant
from tests.cast import Cast, api
from tests.rules.engine.world import drain, make_chain, queue, telemetry, waiting
from tests.rules.letters import CHAIN, NODE, letter, queued
from thingsboard.kernel import outbox
from thingsboard.kernel.models import DeadLetter
from thingsboard.kernel.time import now_ms

LETTERS = "/api/v1/deadLetters"


def keys(answer: Any) -> list[int]:
    assert answer.status_code == 200, answer.content
    return [each["id"] for each in answer.json()["results"]]


def deeds(cast: Cast) -> list[Any]:
    rows = AuditLog.objects.filter(entity_id=cast.acme.pk, action="UPDATED").order_by("created_time", "id")
    return [(row.user_name, row.data["after"]) for row in rows]


@pytest.mark.django_db(transaction=True)
def test_what_failed_runs_again_once_its_chain_is_mended(cast: Cast) -> None:
    device = cast.device.pk
    drain()  # what making Acme and its device has put there
    chain = make_chain(cast.acme.pk, [("org.example.Strange", {})])
    queue(cast.acme.pk, telemetry(device, b'{"t":7}', 1234))
    drain()
    client = api(cast.alice)
    (key,) = keys(client.get(LETTERS))
    told = client.get(f"{LETTERS}/{key}").json()
    assert "org.example.Strange" in told["error"] and told["data"] == {"t": 7} and told["ts"] == 1234
    make_chain(cast.acme.pk, [(MessageTypeSwitch, {}), (SaveTimeSeries, {})], [(0, 1, "Post telemetry")], chain=chain)
    assert client.post(f"{LETTERS}/{key}/retry").status_code == 204
    assert not DeadLetter.objects.exists() and waiting() == 1
    drain()
    assert waiting() == 0 and not DeadLetter.objects.exists()
    assert latest(cast.device.pk)["t"] == (1234, 7)


def test_a_letter_tells_what_its_message_says(cast: Cast) -> None:
    found = letter(cast.acme.pk, cast.device.pk, b'{"a": [1, "x"]}', error="Out of paper.")
    assert api(cast.alice).get(f"{LETTERS}/{found.pk}").json() == {
        "id": found.pk, "created_time": found.created_time, "tenant_id": str(cast.acme.pk), "queue": "Main",
        "type": "POST_TELEMETRY_REQUEST", "message_id": str(found.message_id), "originator_type": "DEVICE",
        "originator_id": str(cast.device.pk), "chain_id": str(CHAIN), "node_id": str(NODE), "error": "Out of paper.",
        "attempts": 3, "ts": 1000, "customer_id": None, "metadata": {"deviceName": "Meter", "ts": "1000"},
        "data": {"a": [1, "x"]}, "unreadable": "",
    }  # fmt: skip


def test_data_that_is_no_json_is_shown_as_text(cast: Cast) -> None:
    found = letter(cast.acme.pk, data=b"\xffnot json")
    assert api(cast.alice).get(f"{LETTERS}/{found.pk}").json()["data"] == "\ufffdnot json"


def test_everybody_sees_and_handles_its_own_alone(cast: Cast) -> None:
    own, foreign = letter(cast.acme.pk), letter(cast.globex.pk)
    assert keys(api(cast.alice).get(LETTERS)) == [own.pk]
    assert keys(api(cast.gina).get(LETTERS)) == [foreign.pk]
    assert keys(api(cast.sam).get(LETTERS)) == [foreign.pk, own.pk]
    alice = api(cast.alice)
    for method, path in (("get", ""), ("delete", ""), ("post", "/retry")):
        answer = getattr(alice, method)(f"{LETTERS}/{foreign.pk}{path}")
        assert (answer.status_code, answer.json()["detail"]) == (
            404, f"Dead letter with id [{foreign.pk}] is not found",
        )  # fmt: skip
        assert getattr(api(cast.bob), method)(f"{LETTERS}/{own.pk}{path}").status_code == 403
        assert getattr(api(None), method)(f"{LETTERS}/{own.pk}{path}").status_code == 401
    for what in ("retry", "drop"):
        for body in ({"all": True}, {"ids": [foreign.pk]}):
            DeadLetter.objects.filter(tenant_id=cast.acme.pk).delete()
            assert alice.post(f"{LETTERS}/{what}", body, format="json").json()["done"] == 0
        assert api(cast.bob).post(f"{LETTERS}/{what}", {"all": True}, format="json").status_code == 403
    assert DeadLetter.objects.get() == foreign and not queued()


def test_the_list_is_paged_and_filtered(cast: Cast) -> None:
    first = letter(cast.acme.pk, cast.device.pk, error="No route to HOST", created_time=1000)
    second = letter(cast.acme.pk, queue="HighPriority", type="ATTRIBUTES_UPDATED", created_time=2000)
    client = api(cast.alice)

    def found(**query: Any) -> list[int]:
        return keys(client.get(LETTERS, query))

    assert found() == [second.pk, first.pk] and found(ordering="id") == [first.pk, second.pk]
    page = client.get(LETTERS, {"limit": 1, "offset": 1}).json()
    assert (page["count"], [each["id"] for each in page["results"]]) == (2, [first.pk])
    assert "data" not in page["results"][0]
    for query in (
        {"error": "route to host"}, {"originator_id": cast.device.pk}, {"queue": "Main"}, {"until": 2000},
        {"type": "POST_TELEMETRY_REQUEST"}, {"search": "route"},
    ):  # fmt: skip
        assert found(**query) == [first.pk], query
        if "search" not in query:
            body = {name: str(value) for name, value in query.items()}
            assert client.post(f"{LETTERS}/retry", body, format="json").json()["done"] == 1, query
            first = letter(cast.acme.pk, cast.device.pk, error="No route to HOST", created_time=1000)
    assert found(since=2000, type="ATTRIBUTES_UPDATED") == [second.pk]
    assert found(originator_type="DEVICE", node_id=NODE, chain_id=CHAIN) == [first.pk, second.pk]
    assert client.get(LETTERS, {"originator_id": "x"}).status_code == 400


def test_all_that_are_chosen_go_back_to_their_queues_in_the_order_in_which_they_died(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dead_letters, "BITE", 2)
    dead = [letter(cast.acme.pk, cast.device.pk, b"%d" % n, queue="Main" if n % 2 else "Slow") for n in range(7)]
    foreign = letter(cast.globex.pk)
    answer = api(cast.alice).post(f"{LETTERS}/retry", {"all": True}, format="json")
    assert answer.json() == {"done": 7, "unreadable": 0, "more": False}
    for name, those in (("Main", dead[1::2]), ("Slow", dead[::2])):
        expected = [(name, str(each.message_id)) for each in those]
        assert [(where, key) for where, key, _ in queued() if where == name] == expected
    assert DeadLetter.objects.get() == foreign


def test_what_is_chosen_is_bounded_and_the_rest_can_be_asked_for(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dead_letters, "BITE", 2)
    monkeypatch.setattr(dead_letters, "MOST_AT_ONCE", 4)
    for _ in range(5):
        letter(cast.acme.pk)
    client = api(cast.alice)
    assert client.post(f"{LETTERS}/drop", {"all": True}, format="json").json() == {
        "done": 4, "unreadable": 0, "more": True,
    }  # fmt: skip
    assert client.post(f"{LETTERS}/drop", {"all": True}, format="json").json()["more"] is False
    assert not DeadLetter.objects.exists() and not queued()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "Expected conditions"),
        ({"all": False}, "Expected conditions"),
        ({"all": True, "queue": "Main"}, "Expected conditions"),
        ({"typ": "X"}, "'typ' is no condition; expected some of all, ids, type"),
        ({"type": None}, "type"),
        ({"type": ""}, "type"),
        ({"ids": []}, "ids"),
        ({"ids": ["x"]}, "ids"),
        ({"ids": list(range(1, 1002))}, "ids"),
        ({"originator_id": "me"}, "originator_id"),
        ({"since": -1}, "since"),
        ([], ""),
    ],
)
def test_what_is_chosen_wrongly_chooses_nothing(cast: Cast, body: Any, said: str) -> None:
    letter(cast.acme.pk)
    for what in ("retry", "drop"):
        answer = api(cast.alice).post(f"{LETTERS}/{what}", body, format="json")
        assert answer.status_code == 400 and said in answer.text
    assert DeadLetter.objects.count() == 1


def test_an_unreadable_message_is_told_so_and_can_only_be_dropped(cast: Cast) -> None:
    bad = letter(cast.acme.pk, body=b"\xc1 no msgpack")
    odd = letter(cast.acme.pk, body=outbox.encode([("T", "SPACESHIP", b"x", 1, b"{}", None)]))
    good = letter(cast.acme.pk)
    client = api(cast.alice)
    for each in (bad, odd):
        told = client.get(f"{LETTERS}/{each.pk}").json()
        assert told["data"] is None and told["unreadable"].startswith("The message cannot be read: ")
        answer = client.post(f"{LETTERS}/{each.pk}/retry")
        assert answer.status_code == 400 and "can only be dropped" in answer.json()["detail"]
    answer = client.post(f"{LETTERS}/retry", {"all": True}, format="json")
    assert answer.json() == {"done": 1, "unreadable": 2, "more": False}
    assert [key for _, key, _ in queued()] == [str(good.message_id)]
    assert client.delete(f"{LETTERS}/{bad.pk}").status_code == 204
    assert DeadLetter.objects.get() == odd


def test_what_is_gone_cannot_be_handled_again(cast: Cast) -> None:
    found = letter(cast.acme.pk)
    client = api(cast.alice)
    assert client.post(f"{LETTERS}/{found.pk}/retry").status_code == 204
    assert client.post(f"{LETTERS}/{found.pk}/retry").status_code == 404
    assert client.delete(f"{LETTERS}/{found.pk}").status_code == 404
    with pytest.raises(dead_letters.NotFound):
        dead_letters.retry(found)  # as if both had seen it at the same time
    assert len(queued()) == 1


def test_what_is_done_is_in_the_audit_log_of_its_tenant(cast: Cast) -> None:
    one, two, three = letter(cast.acme.pk), letter(cast.acme.pk), letter(cast.acme.pk)
    assert api(cast.alice).post(f"{LETTERS}/{one.pk}/retry").status_code == 204
    assert api(cast.sam).post(f"{LETTERS}/drop", {"all": True}, format="json").status_code == 200
    (who, run), (other, dropped) = deeds(cast)
    assert who == cast.alice.email and run["dead_letters_run_again"]["message_id"] == str(one.message_id)
    assert other == cast.sam.email and dropped["dead_letters_dropped"] == {"count": 2, "ids": [two.pk, three.pk]}


# How many are kept.


def test_the_newest_of_each_tenant_are_kept(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(settings, "TB_DEAD_LETTERS_PER_TENANT", 3)
    monkeypatch.setattr(dead_letters, "TRIMMED_AT_ONCE", 2)
    own = [letter(cast.acme.pk).pk for _ in range(8)]
    foreign = [letter(cast.globex.pk).pk for _ in range(3)]
    with caplog.at_level(logging.WARNING):
        trim_dead_letters()
    assert sorted(DeadLetter.objects.values_list("pk", flat=True)) == own[-3:] + foreign
    (said,) = [record.message for record in caplog.records]
    assert said == f"Tenant {cast.acme.pk} has over 3 dead letters: the oldest 5 were removed."


def test_the_old_go(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "TB_DEAD_LETTERS_DAYS", 2)
    day = dead_letters.DAY_MS
    old, young = (letter(cast.acme.pk, created_time=now_ms() - age) for age in (2 * day + 1000, 2 * day - 60_000))
    assert dead_letters.trim() == 1
    assert DeadLetter.objects.get() == young != old


def test_a_deleted_tenants_go_with_it(cast: Cast) -> None:
    letter(cast.globex.pk)
    kept = letter(cast.acme.pk)
    delete_tenant(cast.globex)
    assert DeadLetter.objects.get() == kept


def test_a_list_reads_no_messages(cast: Cast) -> None:
    letter(cast.acme.pk)
    client = api(cast.alice)
    with connection.execute_wrapper(_no_bodies):
        assert len(keys(client.get(LETTERS))) == 1


def _no_bodies(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
    assert "kernel_deadletter" not in sql or '"body"' not in sql
    return execute(sql, params, many, context)
