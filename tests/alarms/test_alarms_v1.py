"""Alarms in our own API."""

from typing import Any

import pytest

from devices.services.shares import share_with
from tests.alarms.scene import raise_alarm, told
from tests.cast import Cast, api, create
from thingsboard.kernel.entities import Action
from thingsboard.kernel.ids import new_id

BOTH = pytest.mark.parametrize("base", ["/api/v1/alarms", "/api/alarms"])


def about(device: Any) -> dict[str, str]:
    return {"entity_type": "DEVICE", "id": str(device.pk)}


def kinds(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [row["type"] for row in answer.json()["results"]]


@BOTH
def test_an_alarm_is_raised_looked_after_cleared_and_deleted(cast: Cast, base: str) -> None:
    client = api(cast.alice)
    said = {"originator": about(cast.bobs_device), "type": "Hot", "severity": "MAJOR", "details": {"t": 90}}
    answer = create(client, base, **said, start_ts=5, propagate=True, propagate_relation_types=["Contains"])
    made = answer.json()
    assert (answer.status_code, made["status"], made["start_ts"], made["version"]) == (201, "ACTIVE_UNACK", 5, 1)
    assert (made["tenant_id"], made["customer_id"]) == (str(cast.acme.pk), str(cast.bistro.pk))
    assert (made["originator"], made["propagate_relation_types"]) == (about(cast.bobs_device), ["Contains"])
    path = f"{base}/{made['id']}"
    assert client.get(path).json() == made
    again = create(client, base, **said).json()
    assert (again["id"], again["start_ts"], again["propagate"]) == (made["id"], 5, False)
    assert client.post(f"{path}/acknowledge").json()["status"] == "ACTIVE_ACK"
    assert client.post(f"{path}/acknowledge").status_code == 400
    given = client.put(f"{path}/assignee", {"assignee_id": str(cast.bob.pk)}, format="json").json()
    assert given["assignee_id"] == str(cast.bob.pk)
    assert client.delete(f"{path}/assignee").status_code == 204
    assert client.post(f"{path}/clear").json()["status"] == "CLEARED_ACK"
    assert client.delete(path).status_code == 204
    assert client.get(path).status_code == 404
    assert [message.type for message in told()] == [
        "ALARM", "ALARM", "ALARM_ACK", "ALARM_ASSIGNED", "ALARM_UNASSIGNED", "ALARM_CLEAR", "ALARM_DELETE",
    ]  # fmt: skip


def test_a_put_replaces_what_is_said_of_it_and_sees_what_others_wrote(cast: Cast) -> None:
    client = api(cast.alice)
    said = {"originator": about(cast.device), "type": "Hot", "severity": "MAJOR", "details": {"t": 90}}
    made = create(client, "/api/v1/alarms", **said).json()
    path = f"/api/v1/alarms/{made['id']}"
    less = {**said, "severity": "MINOR", "details": None, "version": 1}
    changed = client.put(path, less, format="json").json()
    assert (changed["severity"], changed["details"], changed["version"]) == ("MINOR", None, 2)
    assert client.put(path, less, format="json").status_code == 409
    for other in ({"type": "Cold"}, {"originator": about(cast.bobs_device)}):
        answer = client.put(path, {**said, **other}, format="json")
        assert answer.status_code == 400 and "never change" in answer.json()["detail"]


def test_alarms_are_filtered_searched_ordered_and_paged(cast: Cast) -> None:
    raise_alarm(cast.alice, cast.device, "Hot", "CRITICAL")
    raise_alarm(cast.alice, cast.device, "Wet", "MINOR", acknowledged=True)
    raise_alarm(cast.alice, cast.bobs_device, "Hot", "MAJOR", cleared=True, assigneeId={"id": str(cast.bob.pk)})
    raise_alarm(cast.gina, cast.foreign_device, "Foreign")
    client = api(cast.alice)
    for query, expected in (
        ("ordering=type", ["Hot", "Hot", "Wet"]),
        ("status=ACTIVE&ordering=type", ["Hot", "Wet"]),
        ("status=CLEARED_UNACK&status=ACK&ordering=type", ["Hot", "Wet"]),
        ("severity=MINOR", ["Wet"]),
        ("type=Wet", ["Wet"]),
        ("cleared=true", ["Hot"]),
        ("acknowledged=true", ["Wet"]),
        ("assigned=true", ["Hot"]),
        (f"assignee_id={cast.bob.pk}", ["Hot"]),
        (f"originator_id={cast.device.pk}&ordering=-type&limit=1", ["Wet"]),
        (f"customer_id={cast.bistro.pk}", ["Hot"]),
        ("originator_type=ASSET", []),
        ("search=we", ["Wet"]),
        ("since=9999999999999", []),
    ):
        assert kinds(client.get(f"/api/v1/alarms?{query}")) == expected, query
    assert kinds(api(cast.bob).get("/api/v1/alarms")) == ["Hot"]
    for query in ("status=OPEN", "severity=HIGH", "originator_id=x", "ordering=details", "assigned=maybe", "limit=0"):
        assert client.get(f"/api/v1/alarms?{query}").status_code == 400, query


def test_a_stranger_finds_nothing_and_shares_say_who_may_act(cast: Cast) -> None:
    made = raise_alarm(cast.alice, cast.device)
    path = f"/api/v1/alarms/{made['id']['id']}"
    said = {"originator": about(cast.device), "type": "Hot", "severity": "MAJOR"}
    gina, bob = api(cast.gina), api(cast.bob)
    for stranger in (gina, bob):
        for answer in (
            stranger.get(path),
            stranger.post(f"{path}/acknowledge"),
            stranger.post(f"{path}/clear"),
            stranger.put(path, said, format="json"),
            stranger.put(f"{path}/assignee", {"assignee_id": str(cast.gina.pk)}, format="json"),
            stranger.delete(f"{path}/assignee"),
            stranger.delete(path),
            create(stranger, "/api/v1/alarms", **said),
        ):
            assert answer.status_code == 404, answer.content
    share_with(cast.device, cast.bob, Action.VIEW)
    assert bob.get(path).status_code == 200 and bob.post(f"{path}/acknowledge").status_code == 403
    share_with(cast.device, cast.bob, Action.CONTROL)
    assert bob.post(f"{path}/acknowledge").status_code == 200 and bob.delete(path).status_code == 403
    for nobody in (cast.gina.pk, new_id()):
        answer = api(cast.alice).put(f"{path}/assignee", {"assignee_id": str(nobody)}, format="json")
        assert answer.status_code == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {"originator": None}, {"originator": {"entity_type": "TOASTER", "id": str(new_id())}}, {"type": ""},
        {"type": "x" * 256}, {"severity": "HIGH"}, {"start_ts": -1}, {"start_ts": 9, "end_ts": 8},
        {"details": "x" * 70_000}, {"propagate_relation_types": "Contains"}, {"propagate_relation_types": ["x"] * 101},
    ],
)  # fmt: skip
def test_what_is_no_alarm_is_refused_in_words(cast: Cast, wrong: dict[str, Any]) -> None:
    good = {"originator": about(cast.device), "type": "Hot", "severity": "MAJOR"}
    answer = create(api(cast.alice), "/api/v1/alarms", **{**good, **wrong})
    assert (answer.status_code, answer.json()["status_code"]) == (400, 400), answer.content
    assert not told()


def test_alarms_are_browsed(cast: Cast, client: Any) -> None:
    made = raise_alarm(cast.alice, cast.device, details={"note": "<script>alert(1)</script>"})
    client.force_login(cast.alice)
    for path in ("/api/v1/alarms", f"/api/v1/alarms/{made['id']['id']}"):
        page = client.get(path, HTTP_ACCEPT="text/html")
        assert page.status_code == 200 and "<script>alert" not in page.text and "Hot" in page.text
