"""Lists of alarms over ThingsBoard's REST API."""

from typing import Any

import pytest
from django.db import connection

from alarms.models import Alarm
from alarms.services import bulk
from devices.services.shares import share_with
from tests.alarms.scene import path_of, raise_alarm, told
from tests.cast import Cast, api, error
from thingsboard.kernel.entities import Action
from thingsboard.kernel.ids import EntityId, EntityType, new_id

PAGE = "pageSize=10&page=0"


def types(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [alarm["type"] for alarm in answer.json()["data"]]


@pytest.fixture
def raised(cast: Cast) -> dict[str, Any]:
    """Acme: a is critical and new, b major and seen, c a warning and over, d another device's; and one of Globex."""
    alarms = {
        "a": raise_alarm(cast.alice, cast.device, "a", "CRITICAL"),
        "b": raise_alarm(cast.alice, cast.device, "b", "MAJOR", acknowledged=True),
        "c": raise_alarm(cast.alice, cast.device, "c", "WARNING", cleared=True),
        "d": raise_alarm(cast.alice, cast.bobs_device, "d", "MINOR"),
        "foreign": raise_alarm(cast.gina, cast.foreign_device, "foreign", "CRITICAL"),
    }
    for place, alarm in enumerate(alarms.values()):
        Alarm.objects.filter(pk=alarm["id"]["id"]).update(created_time=1000 + place)
    return alarms


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "dcba"),
        ("sortProperty=severity&sortOrder=ASC", "abdc"),
        ("sortProperty=status&sortOrder=DESC", "cb"),
        ("sortProperty=type&sortOrder=ASC", "abcd"),
        ("searchStatus=ACTIVE", "dba"),
        ("searchStatus=CLEARED", "c"),
        ("searchStatus=ACK", "b"),
        ("searchStatus=UNACK", "dca"),
        ("searchStatus=ANY", "dcba"),
        ("status=ACTIVE_ACK", "b"),
        ("status=CLEARED_UNACK", "c"),
        ("startTime=1001&endTime=1002", "cb"),
        ("textSearch=warn", "c"),
    ],
)
def test_all_alarms_of_the_tenant_are_filtered_and_sorted(
    cast: Cast, raised: dict[str, Any], query: str, expected: str
) -> None:
    found = types(api(cast.alice).get(f"/api/alarms?{PAGE}&{query}"))
    assert "".join(found).startswith(expected) and "foreign" not in found


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "dcba"),
        ("statusList=ACTIVE,UNACK&severityList=CRITICAL,MINOR", "da"),
        ("statusList=CLEARED&statusList=ACK", "cb"),
        ("typeList=a,c", "ca"),
        ("severityList=MAJOR", "b"),
    ],
)
def test_the_second_version_takes_lists(cast: Cast, raised: dict[str, Any], query: str, expected: str) -> None:
    client = api(cast.alice)
    assert "".join(types(client.get(f"/api/v2/alarms?{PAGE}&{query}"))) == expected
    of_device = "".join(each for each in expected if each != "d")
    path = f"/api/v2/alarm/DEVICE/{cast.device.pk}?{PAGE}&{query}"
    assert "".join(types(client.get(path))) == of_device


def test_pages_are_thingsboards(cast: Cast, raised: dict[str, Any]) -> None:
    page = api(cast.alice).get("/api/alarms?pageSize=3&page=0&fetchOriginator=true").json()
    assert (page["totalPages"], page["totalElements"], page["hasNext"]) == (2, 4, True)
    assert [alarm["originatorName"] for alarm in page["data"]] == ["Oven", "Meter", "Meter"]
    rest = api(cast.alice).get("/api/alarms?pageSize=3&page=1").json()
    assert [alarm["type"] for alarm in rest["data"]] == ["a"] and rest["hasNext"] is False


def test_an_entitys_alarms_are_listed_for_who_sees_it(cast: Cast, raised: dict[str, Any]) -> None:
    path = f"/api/alarm/DEVICE/{cast.device.pk}?{PAGE}"
    assert types(api(cast.alice).get(path)) == ["c", "b", "a"]
    for stranger in (cast.gina, cast.bob, cast.sam):
        assert error(api(stranger).get(path)) == (404, 32)
    share_with(cast.device, cast.bob, Action.VIEW)
    assert types(api(cast.bob).get(path)) == ["c", "b", "a"]
    assert types(api(cast.sam).get(f"/api/alarm/TENANT/{cast.acme.pk}?{PAGE}")) == []


def test_customer_users_see_their_customers_alarms(cast: Cast, raised: dict[str, Any]) -> None:
    assert types(api(cast.bob).get(f"/api/alarms?{PAGE}")) == ["d"]
    assert types(api(cast.bob).get(f"/api/v2/alarms?{PAGE}")) == ["d"]
    assert error(api(cast.sam).get(f"/api/alarms?{PAGE}")) == (403, 20)


def test_those_of_an_assignee_are_found(cast: Cast, raised: dict[str, Any]) -> None:
    client = api(cast.alice)
    client.post(path_of(raised["d"], "assign", str(cast.bob.pk)))
    assert types(client.get(f"/api/alarms?{PAGE}&assigneeId={cast.bob.pk}")) == ["d"]
    assert types(client.get(f"/api/v2/alarms?{PAGE}&assigneeId={cast.alice.pk}")) == []


def test_the_highest_severity_is_a_word_or_nothing(cast: Cast, raised: dict[str, Any]) -> None:
    path, client = f"/api/alarm/highestSeverity/DEVICE/{cast.device.pk}", api(cast.alice)
    assert client.get(path).json() == "CRITICAL"
    assert client.get(f"{path}?status=CLEARED_UNACK").json() == "WARNING"
    assert client.get(f"{path}?searchStatus=ACK").json() == "MAJOR"
    empty = client.get(f"{path}?status=CLEARED_ACK")
    assert (empty.status_code, empty.content) == (200, b"")
    assert error(api(cast.gina).get(path)) == (404, 32)


def test_the_types_are_those_of_the_alarms_that_one_sees(cast: Cast, raised: dict[str, Any]) -> None:
    raise_alarm(cast.alice, cast.bobs_device, "a")
    answer = api(cast.alice).get(f"/api/alarm/types?{PAGE}").json()
    assert [each["type"] for each in answer["data"]] == ["a", "b", "c", "d"]
    assert answer["data"][0]["entityType"] == "ALARM" and answer["totalElements"] == 4
    assert types(api(cast.alice).get(f"/api/alarm/types?{PAGE}&sortOrder=DESC&textSearch=B")) == ["b"]
    assert types(api(cast.alice).get("/api/alarm/types?pageSize=3&page=1")) == ["d"]
    assert types(api(cast.bob).get(f"/api/alarm/types?{PAGE}")) == ["a", "d"]
    assert types(api(cast.gina).get(f"/api/alarm/types?{PAGE}")) == ["foreign"]


def test_an_originator_that_is_gone_is_called_so(cast: Cast) -> None:
    """A rule chain may raise an alarm of a device that is being deleted."""
    gone = EntityId(EntityType.DEVICE, new_id())
    request = bulk.AlarmRequest(tenant_id=cast.acme.pk, originator=gone, type="Late", severity="MINOR")
    late = bulk.raised(None, request, 10).state
    connection.ensure_connection()
    bulk.write(connection.connection, [late], {late.id})
    (alarm,) = api(cast.alice).get(f"/api/alarms?{PAGE}").json()["data"]
    assert (alarm["originatorName"], alarm["originatorLabel"]) == ("Deleted", "Deleted")
    assert api(cast.alice).post(path_of(alarm, "clear")).json()["status"] == "CLEARED_UNACK"
    assert [message.type for message in told()] == ["ALARM_CLEAR"]


@pytest.mark.parametrize(
    "query",
    [
        "pageSize=1", "page=0&pageSize=0", f"{PAGE}&sortProperty=tenant", f"{PAGE}&searchStatus=OPEN",
        f"{PAGE}&status=ACTIVE", f"{PAGE}&searchStatus=ACTIVE&status=ACTIVE_ACK", f"{PAGE}&startTime=x",
        f"{PAGE}&assigneeId=bob",
    ],
)  # fmt: skip
def test_a_list_that_makes_no_sense_is_refused(cast: Cast, query: str) -> None:
    assert error(api(cast.alice).get(f"/api/alarms?{query}")) == (400, 31)


def test_lists_of_the_second_version_that_make_no_sense_are_refused(cast: Cast) -> None:
    for query in ("statusList=OPEN", "severityList=HIGH", "typeList=" + ",".join(map(str, range(101)))):
        assert error(api(cast.alice).get(f"/api/v2/alarms?{PAGE}&{query}")) == (400, 31)
    assert error(api(cast.alice).get(f"/api/alarm/TOASTER/{cast.device.pk}?{PAGE}")) == (400, 31)


def test_who_can_be_asked_to_look_after_an_alarm(cast: Cast, raised: dict[str, Any]) -> None:
    def emails(user: Any, alarm: str) -> set[str]:
        answer = api(user).get(f"/api/users/assign/{raised[alarm]['id']['id']}?{PAGE}")
        assert answer.status_code == 200, answer.content
        return {each["email"] for each in answer.json()["data"]}

    assert cast.bob
    assert emails(cast.alice, "a") == {cast.alice.email}
    assert emails(cast.alice, "d") == {cast.alice.email, cast.bob.email}
    assert emails(cast.bob, "d") == {cast.bob.email}
    assert error(api(cast.gina).get(f"/api/users/assign/{raised['a']['id']['id']}?{PAGE}")) == (404, 32)
