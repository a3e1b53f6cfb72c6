"""Versions of a chain, over /api/v1/ruleChains: listed, read, compared, brought back."""

from typing import Any

import pytest
from django.test import override_settings

from tests.cast import Cast, api
from tests.rules.chains import LOG, SWITCH, create, id_of, line, metadata, node, saved


def story(client: Any) -> str:
    """A chain of four versions: empty, two nodes, another configuration, one node gone and another come."""
    key = id_of(create(client))
    two = saved(client, key, [node(SWITCH, "a"), node(LOG, "b", configuration={"x": {"y": 1, "z": 2}})], [line(0, 1)])
    a, b = two["nodes"]
    saved(client, key, [a, {**b, "configuration": {"x": {"y": 5, "z": 2}}, "name": "bb"}], [line(0, 1)])
    saved(client, key, [a, node(LOG, "c")], [line(0, 1, "Other")])
    return key


def listed(client: Any, key: str, query: str = "") -> Any:
    return client.get(f"/api/v1/ruleChains/{key}/versions{query}").json()


def test_every_save_is_a_version_with_who_and_when(cast: Cast) -> None:
    alice = api(cast.alice)
    found = listed(alice, story(alice))
    assert [each["number"] for each in found["results"]] == [4, 3, 2, 1] and found["count"] == 4
    newest = found["results"][0]
    assert newest.keys() == {"number", "created_time", "user_id", "user_name", "note"}
    assert (newest["user_id"], newest["user_name"]) == (str(cast.alice.pk), cast.alice.email)


def test_a_version_is_read_whole(cast: Cast) -> None:
    alice = api(cast.alice)
    key = story(alice)
    found = alice.get(f"/api/v1/ruleChains/{key}/versions/2").json()
    assert found["number"] == 2 and [each["name"] for each in found["definition"]["nodes"]] == ["a", "b"]
    assert alice.get(f"/api/v1/ruleChains/{key}/versions/9").status_code == 404


def test_the_difference_of_two_versions_says_what_happened(cast: Cast) -> None:
    alice = api(cast.alice)
    key = story(alice)
    found = alice.get(f"/api/v1/ruleChains/{key}/difference?from=2&to=3").json()
    (changed,) = found["nodes"]["changed"]
    assert changed["name"] == "bb" and {
        each["field"]: (each["before"], each["after"]) for each in changed["fields"]
    } == {
        "name": ("b", "bb"),
        "configuration.x.y": (1, 5),
    }
    assert found["nodes"]["added"] == found["nodes"]["removed"] == found["chain"] == []
    assert found["connections"] == {"added": [], "removed": []}

    newest = alice.get(f"/api/v1/ruleChains/{key}/difference").json()
    assert (newest["from"], newest["to"]) == (3, 4)
    assert [each["name"] for each in newest["nodes"]["added"]] == ["c"]
    assert [each["name"] for each in newest["nodes"]["removed"]] == ["bb"]
    (gone,), (come,) = newest["connections"]["removed"], newest["connections"]["added"]
    assert (gone["from_name"], gone["to_name"], gone["type"]) == ("a", "bb", "Success")
    assert (come["from_name"], come["to_name"], come["type"]) == ("a", "c", "Other")


def test_a_version_is_brought_back_as_a_new_one_with_the_ids_of_its_nodes(cast: Cast) -> None:
    alice = api(cast.alice)
    key = story(alice)
    old = alice.get(f"/api/v1/ruleChains/{key}/versions/2").json()["definition"]
    answer = alice.post(f"/api/v1/ruleChains/{key}/restore", {"number": 2, "version": 4}, format="json")
    assert answer.status_code == 200 and answer.json()["version"] == 5
    assert alice.get(f"/api/v1/ruleChains/{key}/versions/5").json()["definition"] == old
    assert [each["id"]["id"] for each in metadata(alice, key)["nodes"]] == [each["id"] for each in old["nodes"]]
    assert listed(alice, key)["results"][0]["note"] == "Restored version 2"
    assert alice.get(f"/api/v1/ruleChains/{key}/versions/4").json()["definition"] != old


def test_the_name_of_a_version_comes_back_with_it(cast: Cast) -> None:
    alice = api(cast.alice)
    chain = create(alice, "Pumps", additionalInfo={"description": "d"})
    alice.post("/api/ruleChain", {**chain, "name": "Valves", "additionalInfo": None}, format="json")
    found = alice.get(f"/api/v1/ruleChains/{id_of(chain)}/difference").json()["chain"]
    assert {each["field"]: each["after"] for each in found} == {"name": "Valves", "additionalInfo": None}
    made = alice.post(f"/api/v1/ruleChains/{id_of(chain)}/restore", {"number": 1}, format="json").json()
    assert (made["name"], made["additional_info"]) == ("Pumps", {"description": "d"})


def test_only_so_many_versions_are_kept(cast: Cast) -> None:
    alice = api(cast.alice)
    key = story(alice)
    with override_settings(TB_RULE_CHAIN_VERSIONS=2):
        saved(alice, key, [], first=None)
    assert [each["number"] for each in listed(alice, key)["results"]] == [5, 4]
    assert alice.post(f"/api/v1/ruleChains/{key}/restore", {"number": 1}, format="json").status_code == 404
    assert metadata(alice, key)["version"] == 5


@pytest.mark.parametrize(
    ("body", "status"), [({}, 400), ({"number": 0}, 400), ({"number": 77}, 404), ({"number": 1, "version": 3}, 409)]
)
def test_what_cannot_be_restored_changes_nothing(cast: Cast, body: Any, status: int) -> None:
    alice = api(cast.alice)
    key = story(alice)
    assert alice.post(f"/api/v1/ruleChains/{key}/restore", body, format="json").status_code == status
    assert listed(alice, key)["count"] == 4


def test_versions_are_their_tenants(cast: Cast) -> None:
    key = story(api(cast.alice))
    gina = api(cast.gina)
    for path in ("versions", "versions/1", "difference"):
        assert gina.get(f"/api/v1/ruleChains/{key}/{path}").status_code == 404
    assert gina.post(f"/api/v1/ruleChains/{key}/restore", {"number": 1}, format="json").status_code == 404
