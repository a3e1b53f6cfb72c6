"""/api/v1/ruleChains: our own API of chains."""

from tests.cast import Cast, api
from tests.rules.chains import LOG, SWITCH, root_of


def test_a_chain_is_made_listed_replaced_and_removed(cast: Cast) -> None:
    alice = api(cast.alice)
    answer = alice.post("/api/v1/ruleChains", {"name": "Pumps", "additional_info": {"a": 1}}, format="json")
    assert answer.status_code == 201
    made = answer.json()
    assert (made["type"], made["root"], made["version"]) == ("CORE", False, 1)
    path = f"/api/v1/ruleChains/{made['id']}"
    assert [each["name"] for each in alice.get("/api/v1/ruleChains?search=pump").json()["results"]] == ["Pumps"]
    assert alice.get("/api/v1/ruleChains?root=true&type=CORE").json()["count"] == 1
    changed = alice.put(path, {"name": "Valves", "version": 1}, format="json").json()
    assert (changed["name"], changed["additional_info"], changed["version"]) == ("Valves", None, 2)
    assert alice.put(path, {"name": "Again", "version": 1}, format="json").status_code == 409
    assert alice.put(path, {"name": "Again", "type": "EDGE"}, format="json").status_code == 400
    assert alice.delete(path).status_code == 204
    assert alice.get(path).status_code == 404


def test_the_inside_of_a_chain_is_replaced_whole(cast: Cast) -> None:
    alice = api(cast.alice)
    key = alice.post("/api/v1/ruleChains", {"name": "Pumps"}, format="json").json()["id"]
    path = f"/api/v1/ruleChains/{key}/metadata"
    body = {
        "first_node_index": 0,
        "nodes": [
            {"type": SWITCH, "name": "a", "configuration": {"version": 0}},
            {"type": LOG, "name": "b", "debug_settings": {"all_enabled": True}, "queue_name": "Main"},
        ],
        "connections": [{"from_index": 0, "to_index": 1, "type": "Other"}],
        "version": 1,
    }
    answer = alice.put(path, body, format="json")
    assert answer.status_code == 200, answer.content
    found = answer.json()
    assert found == alice.get(path).json() and found["version"] == 2
    assert [each["name"] for each in found["nodes"]] == ["a", "b"] and found["connections"] == body["connections"]
    assert found["nodes"][1]["debug_settings"]["all_enabled_until"] > found["nodes"][1]["created_time"]
    assert alice.put(path, body, format="json").status_code == 409
    again = {**found, "nodes": [{**found["nodes"][0], "name": "z"}], "connections": []}
    assert [each["id"] for each in alice.put(path, again, format="json").json()["nodes"]] == [found["nodes"][0]["id"]]
    assert alice.put(path, {"nodes": [{"type": LOG}]}, format="json").status_code == 400
    assert api(cast.gina).get(path).status_code == 404
    assert api(cast.gina).put(path, body, format="json").status_code == 404


def test_another_chain_is_made_the_root(cast: Cast) -> None:
    alice = api(cast.alice)
    key = alice.post("/api/v1/ruleChains", {"name": "Pumps"}, format="json").json()["id"]
    assert alice.post(f"/api/v1/ruleChains/{key}/setRoot").json()["root"] is True
    assert root_of(alice)["id"]["id"] == key
    assert alice.delete(f"/api/v1/ruleChains/{key}").status_code == 400


def test_customer_users_and_system_administrators_have_no_chains(cast: Cast) -> None:
    for user in (cast.bob, cast.sam):
        assert api(user).get("/api/v1/ruleChains").status_code == 403
        assert api(user).get("/api/ruleChains?pageSize=10&page=0").status_code == 403
