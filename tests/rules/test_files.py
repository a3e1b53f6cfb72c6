"""Chains in and out of files: a realistic export of ThingsBoard, and our own."""

import json
from pathlib import Path
from typing import Any

from tests.cast import Cast, api, error
from tests.rules.chains import INPUT, LOG, create, id_of, line, metadata, node, root_of, saved
from tests.rules.nodes.test_facts import PACKAGE, ROWS

THERMOSTATS = json.loads(Path(__file__).with_name("thermostats.json").read_text())


def take_in(client: Any, body: Any, query: str = "") -> Any:
    answer = client.post(f"/api/ruleChains/import{query}", body, format="json")
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_an_old_export_of_thingsboard_loses_nothing(cast: Cast) -> None:
    alice = api(cast.alice)
    answer = alice.post("/api/v1/ruleChains/import", THERMOSTATS, format="json")
    assert answer.status_code == 200, answer.content
    (made,) = answer.json()
    assert (made["name"], made["updated"], made["error"]) == ("Thermostats", False, None)
    found = metadata(alice, made["id"])
    given = THERMOSTATS["metadata"]["nodes"]
    for was, now in zip(given, found["nodes"], strict=False):
        assert (now["type"], now["name"]) == (was["type"], was["name"])
        assert (now["configuration"], now["additionalInfo"]) == (was["configuration"], was["additionalInfo"])
        assert now["configurationVersion"] == was.get("configurationVersion", 0)
    fan = found["nodes"][3]
    assert (fan["type"], fan["singletonMode"], fan["queueName"]) == (
        "com.example.rules.TbFanNode",
        True,
        "HighPriority",
    )
    assert found["nodes"][1]["debugSettings"]["failuresEnabled"] is True
    assert found["nodes"][4]["type"] == INPUT
    assert found["nodes"][4]["configuration"]["ruleChainId"] == "7b2b8c40-60a8-11ea-9d36-8b2a1f8d3e11"
    assert found["firstNodeIndex"] == 2
    assert [(each["fromIndex"], each["toIndex"], each["type"]) for each in found["connections"]] == [
        (1, 3, "True"),
        (1, 4, "False"),
        (2, 0, "Post telemetry"),
        (2, 1, "Post telemetry"),
    ]
    assert alice.get(f"/api/v1/ruleChains/{made['id']}/versions").json()["results"][0]["note"] == "Imported"


def test_a_chain_of_every_node_that_thingsboard_has_loses_nothing(cast: Cast) -> None:
    given = [
        {
            "type": PACKAGE + row["type"],
            "name": f"{row['name']} {number}",
            "configuration": {**json.loads(row["defaults"]), "ofAnotherVersion": [1, {"a": None}]},
            "configurationVersion": int(row["version"]),
            "additionalInfo": {"layoutX": number, "layoutY": 7, "description": "as it was"},
        }
        for number, row in enumerate(ROWS)
    ]
    alice = api(cast.alice)
    body = {
        "ruleChains": [{"name": "Everything"}],
        "metadata": [{"firstNodeIndex": 0, "nodes": given, "connections": []}],
    }
    (result,) = take_in(alice, body)
    assert result["error"] is None
    key = result["ruleChainId"]["id"]
    saved_again = alice.post("/api/ruleChain/metadata", metadata(alice, key), format="json").json()
    for found in (metadata(alice, key), saved_again):
        nodes = {each["name"]: {name: each[name] for name in given[0]} for each in found["nodes"]}
        assert nodes == {each["name"]: each for each in given}


def test_what_is_exported_can_be_imported_again_and_is_the_same(cast: Cast) -> None:
    alice = api(cast.alice)
    alice.post("/api/v1/ruleChains/import", THERMOSTATS, format="json")
    (key,) = [each["id"] for each in alice.get("/api/v1/ruleChains?name=Thermostats").json()["results"]]
    file = alice.get(f"/api/v1/ruleChains/{key}/export").json()
    assert file["ruleChain"]["name"] == "Thermostats" and "id" not in file["ruleChain"]
    assert all("id" not in each and "ruleChainId" not in each for each in file["metadata"]["nodes"])
    gina = api(cast.gina)
    (made,) = gina.post("/api/v1/ruleChains/import", file, format="json").json()
    assert gina.get(f"/api/v1/ruleChains/{made['id']}/export").json() == file


def test_chains_of_one_file_find_each_other_under_their_new_ids(cast: Cast) -> None:
    alice, gina = api(cast.alice), api(cast.gina)
    called, caller = id_of(create(alice, "Called")), id_of(create(alice, "Caller"))
    saved(alice, called, [node(LOG, "x")])
    saved(alice, caller, [node(INPUT, "into", configuration={"ruleChainId": called})])
    data = alice.get("/api/ruleChains/export?limit=100").json()
    assert {each["name"] for each in data["ruleChains"]} == {"Called", "Caller", "Root Rule Chain"}
    results = {each["ruleChainName"]: each for each in take_in(gina, data)}
    assert all(each["error"] is None and not each["updated"] for each in results.values())
    assert {each["tenantId"]["id"] for each in results.values()} == {str(cast.globex.pk)}
    mine = {name: each["ruleChainId"]["id"] for name, each in results.items()}
    (into,) = metadata(gina, mine["Caller"])["nodes"]
    assert into["configuration"]["ruleChainId"] == mine["Called"] != called
    assert root_of(gina)["id"]["id"] != mine["Root Rule Chain"]  # an import makes no root


def test_overwriting_replaces_the_chain_of_that_name_and_it_stays_the_root(cast: Cast) -> None:
    alice = api(cast.alice)
    root = root_of(alice)
    body = {
        "ruleChains": [{"name": "Root Rule Chain", "type": "CORE", "root": False}],
        "metadata": [{"firstNodeIndex": 0, "nodes": [node(LOG, "only")], "connections": []}],
    }
    (result,) = take_in(alice, body, "?overwrite=true")
    assert result["updated"] and result["ruleChainId"] == root["id"]
    assert root_of(alice)["id"] == root["id"]
    assert [each["name"] for each in metadata(alice, id_of(root))["nodes"]] == ["only"]
    (result,) = take_in(alice, body)
    assert not result["updated"] and result["ruleChainId"] != root["id"]


def test_one_bad_chain_of_a_file_is_told_and_the_others_are_made(cast: Cast) -> None:
    alice = api(cast.alice)
    round_and_round = {
        "nodes": [node(LOG, "a"), node(LOG, "b")],
        "connections": [line(0, 1), line(1, 0)],
    }
    body = {
        "ruleChains": [{"name": "Bad"}, {"name": "Good"}],
        "metadata": [round_and_round, {"nodes": [node(LOG, "a")]}],
    }
    bad, good = take_in(alice, body)
    assert "circling" in bad["error"] and bad["ruleChainId"] is None
    assert good["error"] is None and len(metadata(alice, good["ruleChainId"]["id"])["nodes"]) == 1
    names = [each["name"] for each in alice.get("/api/v1/ruleChains").json()["results"]]
    assert "Bad" not in names


def test_what_is_no_file_of_chains_is_refused_in_words(cast: Cast) -> None:
    alice = api(cast.alice)
    for body in (
        {},
        {"ruleChain": 5},
        {"ruleChains": "x"},
        {"ruleChains": [{"name": "a"}], "metadata": {}},
        {"widgets": []},
    ):
        for path in ("/api/ruleChains/import", "/api/v1/ruleChains/import"):
            assert alice.post(path, body, format="json").status_code == 400, (path, body)
    assert error(alice.get("/api/ruleChains/export")) == (400, 31)
    assert error(alice.get("/api/ruleChains/export?limit=0")) == (400, 31)


def test_a_file_of_another_tenants_chain_touches_nothing_of_it(cast: Cast) -> None:
    theirs = create(api(cast.gina), "Theirs")
    data = api(cast.gina).get("/api/ruleChains/export?limit=1").json()
    assert data["ruleChains"][0]["id"] == theirs["id"]
    (result,) = take_in(api(cast.alice), data, "?overwrite=true")
    assert result["ruleChainId"] != theirs["id"] and not result["updated"]
    assert api(cast.gina).get(f"/api/ruleChain/{id_of(theirs)}").json() == theirs
