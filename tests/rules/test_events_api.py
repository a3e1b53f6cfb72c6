"""Events as ThingsBoard's clients read and clear them, through HTTP."""

from typing import Any

import pytest

from rules.models import RuleEvent
from tests.cast import Cast, api, create, error
from tests.rules.chains import LOG, SWITCH, id_of, line, node, saved
from tests.rules.chains import create as create_chain
from tests.rules.engine.world import drain, queue, telemetry
from thingsboard.kernel.ids import NULL_UUID
from thingsboard.kernel.models import OutboxRow

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = f"tenantId={NULL_UUID}&pageSize=10&page=0"


@pytest.fixture
def nodes(cast: Cast) -> list[str]:
    """The ids of two nodes, the first of which is debugged and has seen three messages."""
    client = api(cast.alice)
    chain = id_of(create_chain(client))
    said = saved(
        client, chain, [node(SWITCH, "switch", debugSettings={"allEnabled": True}), node(LOG, "log")], [line(0, 1)]
    )
    assert client.post(f"/api/ruleChain/{chain}/root").status_code == 200
    assert cast.device
    OutboxRow.objects.all().delete()
    queue(cast.acme.pk, *[telemetry(cast.device.pk, b'{"n":%d}' % number, number) for number in range(3)])
    drain()
    return [each["id"]["id"] for each in said["nodes"]]


def find(client: Any, key: str, query: str = PAGE, **wanted: Any) -> Any:
    """The page of what an EventFilter wants."""
    answer = create(client, f"/api/events/RULE_NODE/{key}?{query}", **{"eventType": "DEBUG_RULE_NODE", **wanted})
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_events_of_a_node_are_listed_as_thingsboard_lists_them(cast: Cast, nodes: list[str]) -> None:
    page = api(cast.alice).get(f"/api/events/RULE_NODE/{nodes[0]}/DEBUG_RULE_NODE?{PAGE}").json()
    assert (page["totalElements"], page["totalPages"], page["hasNext"]) == (6, 1, False)
    newest, before = page["data"][:2]
    assert newest["uid"] == newest["id"]["id"] != before["uid"]
    assert newest["tenantId"] == {"entityType": "TENANT", "id": str(cast.acme.pk)}
    assert newest["entityId"] == {"entityType": "RULE_NODE", "id": nodes[0]}
    assert (newest["type"], newest["body"]["type"], before["body"]["type"]) == ("DEBUG_RULE_NODE", "OUT", "IN")
    assert newest["body"]["relationType"] == "Post telemetry" and newest["body"]["data"] == '{"n":2}'
    oldest = api(cast.alice).get(f"/api/events/RULE_NODE/{nodes[0]}/DEBUG_RULE_NODE?{PAGE}&sortOrder=ASC").json()
    assert [each["uid"] for each in oldest["data"]] == [each["uid"] for each in reversed(page["data"])]


def test_the_life_of_a_node_is_what_is_listed_without_a_type(cast: Cast, nodes: list[str]) -> None:
    (told,) = api(cast.alice).get(f"/api/events/RULE_NODE/{nodes[0]}?{PAGE}").json()["data"]
    assert told["type"] == "LC_EVENT"
    assert told["body"] == {"event": "STARTED", "success": "true", "server": told["body"]["server"]}


def test_a_node_that_cannot_work_says_so_when_it_is_saved(cast: Cast) -> None:
    client = api(cast.alice)
    chain = id_of(create_chain(client))
    said = saved(client, chain, [node("com.example.Unknown", "strange"), node(LOG, "log")])
    wanted = {"eventType": "LC_EVENT", "event": "STARTED", "status": "Failure", "errorStr": "not known"}
    strange, log = [find(client, each["id"]["id"], **wanted)["data"] for each in said["nodes"]]
    assert len(strange) == 1 and "com.example.Unknown" in strange[0]["body"]["error"] and log == []


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, 6),
        ({"msgDirectionType": "IN"}, 3),
        ({"relationType": "post"}, 3),
        ({"relationType": "Failure"}, 0),
        ({"msgType": "telemetry"}, 6),
        ({"entityType": "DEVICE"}, 6),
        ({"entityType": "ASSET"}, 0),
        ({"dataSearch": '"n":1'}, 2),
        ({"metadataSearch": "Meter"}, 6),
        ({"isError": True}, 0),
        ({"errorStr": "x"}, 0),
    ],
    ids=str,
)
def test_a_filter_looks_into_the_bodies(cast: Cast, nodes: list[str], wanted: Any, found: int) -> None:
    assert find(api(cast.alice), nodes[0], **wanted)["totalElements"] == found


def test_pages_and_times_bound_what_is_listed(cast: Cast, nodes: list[str]) -> None:
    client = api(cast.alice)
    first = find(client, nodes[0], f"tenantId={NULL_UUID}&pageSize=4&page=0")
    second = find(client, nodes[0], f"tenantId={NULL_UUID}&pageSize=4&page=1")
    assert (len(first["data"]), first["hasNext"], len(second["data"]), second["hasNext"]) == (4, True, 2, False)
    at = first["data"][0]["createdTime"]
    assert find(client, nodes[0], f"{PAGE}&startTime={at + 1}")["totalElements"] == 0
    assert find(client, nodes[0], f"{PAGE}&startTime=0&endTime={at}")["totalElements"] == 6


def test_what_is_cleared_is_gone_and_nothing_else(cast: Cast, nodes: list[str]) -> None:
    client, path = api(cast.alice), f"/api/events/RULE_NODE/{nodes[0]}/clear"
    assert create(client, path, eventType="DEBUG_RULE_NODE", dataSearch='"n":1').status_code == 200
    assert find(client, nodes[0])["totalElements"] == 4
    assert create(client, f"{path}?endTime=1", eventType="DEBUG_RULE_NODE").status_code == 200
    assert find(client, nodes[0])["totalElements"] == 4
    assert create(client, path, eventType="DEBUG_RULE_NODE").status_code == 200
    assert find(client, nodes[0])["totalElements"] == 0
    assert find(client, nodes[0], eventType="LC_EVENT")["totalElements"] == 1


def test_the_last_input_of_a_node_is_shown_to_test_its_script_with(cast: Cast, nodes: list[str]) -> None:
    client = api(cast.alice)
    body = client.get(f"/api/ruleNode/{nodes[0]}/debugIn").json()
    assert (body["type"], body["data"], body["msgType"]) == ("IN", '{"n":2}', "POST_TELEMETRY_REQUEST")
    nothing = client.get(f"/api/ruleNode/{nodes[1]}/debugIn")
    assert (nothing.status_code, nothing.content) == (200, b"")


def test_strangers_find_neither_the_node_nor_its_events(cast: Cast, nodes: list[str]) -> None:
    for user in (cast.gina, cast.bob, cast.sam):
        client = api(user)
        assert client.get(f"/api/events/RULE_NODE/{nodes[0]}/DEBUG_RULE_NODE?{PAGE}").status_code == 404
        assert create(client, f"/api/events/RULE_NODE/{nodes[0]}?{PAGE}", eventType="ERROR").status_code == 404
        assert create(client, f"/api/events/RULE_NODE/{nodes[0]}/clear", eventType="LC_EVENT").status_code == 404
        assert client.get(f"/api/ruleNode/{nodes[0]}/debugIn").status_code in {403, 404}
    assert RuleEvent.objects.filter(entity_id=nodes[0]).count() == 7


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (f"DEBUG_RULE_NODE?{PAGE}&page=x", "page"),
        (f"NO_SUCH?{PAGE}", "NO_SUCH"),
        ("LC_EVENT?pageSize=1&page=0", "tenantId"),
        ("LC_EVENT?pageSize=1&page=0&tenantId=x", "UUID"),
        (f"LC_EVENT?{PAGE}&startTime=x", "startTime"),
        (f"LC_EVENT?{PAGE}&sortProperty=body", "sort property"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_words(cast: Cast, path: str, said: str) -> None:
    assert cast.device
    answer = api(cast.alice).get(f"/api/events/DEVICE/{cast.device.pk}/{path}")
    assert error(answer) == (400, 31) and said in answer.json()["message"]


def test_other_types_of_events_are_there_and_empty(cast: Cast) -> None:
    for kind in ("ERROR", "STATS", "LC_EVENT", "DEBUG_RULE_CHAIN", "DEBUG_CALCULATED_FIELD"):
        answer = create(api(cast.alice), f"/api/events/DEVICE/{cast.device.pk}?{PAGE}", eventType=kind)
        assert answer.json() == {"data": [], "totalPages": 0, "totalElements": 0, "hasNext": False}
