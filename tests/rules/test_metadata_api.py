"""/api/ruleChain/metadata: the nodes of a chain and what connects them."""

import uuid
from typing import Any

import pytest
from django.test import override_settings

from rules.models import RuleChain, RuleChainVersion, RuleNode
from telemetry.models import Erasure
from tenants.models import AuditLog
from tests.cast import Cast, api, error
from tests.rules.chains import INPUT, LOG, OUTPUT, SWITCH, create, id_of, inside, line, metadata, node, save, saved


def test_what_is_saved_comes_back_whole_and_in_order(cast: Cast) -> None:
    alice = api(cast.alice)
    key = id_of(create(alice))
    strange = node("com.example.Unknown", "b", configuration={"deep": [{"a": None}, 1.5, "ü"]}, configurationVersion=3)
    strange |= {"singletonMode": True, "queueName": "HighPriority"}
    found = saved(alice, key, [node(SWITCH, "a"), strange, node(LOG, "c")], [line(0, 1, "Other"), line(0, 2, "Alarm")])
    assert found == metadata(alice, key)
    assert [each["name"] for each in found["nodes"]] == ["a", "b", "c"]
    told = found["nodes"][1]
    assert {name: told[name] for name in strange} == strange
    assert told["ruleChainId"]["id"] == key and told["id"]["entityType"] == "RULE_NODE" and "debugMode" not in told
    assert (found["version"], found["firstNodeIndex"], found["ruleChainConnections"]) == (2, 0, None)
    assert [(each["fromIndex"], each["toIndex"], each["type"]) for each in found["connections"]] == [
        (0, 1, "Other"),
        (0, 2, "Alarm"),
    ]
    chain = alice.get(f"/api/ruleChain/{key}").json()
    assert chain["firstRuleNodeId"] == found["nodes"][0]["id"] and chain["version"] == 2


def test_nodes_keep_their_ids_and_what_is_left_out_goes(cast: Cast) -> None:
    alice = api(cast.alice)
    key = id_of(create(alice))
    first = saved(alice, key, [node(SWITCH, "a"), node(LOG, "b")], [line(0, 1)])
    kept = {**first["nodes"][0], "name": "renamed"}
    second = saved(alice, key, [node(LOG, "new"), kept], [line(1, 0)], first=1, version=first["version"])
    by_name = {each["name"]: each for each in second["nodes"]}
    assert by_name.keys() == {"renamed", "new"}
    assert by_name["renamed"]["id"] == kept["id"] and by_name["renamed"]["createdTime"] == kept["createdTime"]
    assert by_name["new"]["id"] != first["nodes"][1]["id"]
    assert second["firstNodeIndex"] == second["nodes"].index(by_name["renamed"])
    emptied = saved(alice, key, [], first=None)
    assert (emptied["nodes"], emptied["connections"], emptied["firstNodeIndex"]) == ([], [], None)


def test_no_values_are_kept_of_nodes_so_that_those_that_go_leave_nothing_to_erase(cast: Cast) -> None:
    alice = api(cast.alice)
    key = id_of(create(alice))
    gone = saved(alice, key, [node(LOG, "a")])["nodes"][0]["id"]["id"]
    path = f"/api/plugins/telemetry/RULE_NODE/{gone}"
    assert error(alice.post(f"{path}/SERVER_SCOPE", {"a": 1}, format="json")) == (403, 20)
    assert alice.get(f"{path}/values/attributes").json() == []
    saved(alice, key, [node(LOG, "b")])
    assert alice.delete(f"/api/ruleChain/{key}").status_code == 200
    assert list(Erasure.objects.values_list("entity_type", "entity_id")) == [("RULE_CHAIN", uuid.UUID(key))]


def test_the_newest_version_is_what_was_saved(cast: Cast) -> None:
    alice = api(cast.alice)
    key = id_of(create(alice))
    found = saved(alice, key, [node(SWITCH, "a"), node(LOG, "b")], [line(0, 1, "Other")])
    chain = RuleChain.objects.get(pk=key)
    definition = RuleChainVersion.objects.get(chain=chain, number=chain.version).definition
    ids = [each["id"]["id"] for each in found["nodes"]]
    assert definition["first"] == ids[0] and [each["id"] for each in definition["nodes"]] == ids
    assert definition["connections"] == [[ids[0], ids[1], "Other"]]
    deed = AuditLog.objects.filter(entity_id=key, action="UPDATED").get()
    assert (
        deed.data["after"] | {"saved_version": 2, "nodes_added": ["a", "b"], "connections_added": 1}
        == deed.data["after"]
    )
    assert deed.user_id == cast.alice.pk
    with pytest.raises(TypeError):
        chain.versions.get(number=2).save()


def test_who_saw_an_older_version_changes_nothing(cast: Cast) -> None:
    alice = api(cast.alice)
    key = id_of(create(alice))
    saved(alice, key, [node(SWITCH, "a")], version=1)
    answer = save(alice, key, [node(LOG, "b")], version=1)
    assert error(answer) == (409, 35)
    assert [each["name"] for each in metadata(alice, key)["nodes"]] == ["a"]


def test_messages_may_not_go_round(cast: Cast) -> None:
    alice = api(cast.alice)
    key = id_of(create(alice))
    nodes = [node(LOG, name) for name in "abc"]
    answer = save(alice, key, nodes, [line(0, 1), line(1, 2), line(2, 1, "Failure")])
    assert error(answer) == (400, 31) and "circling" in answer.json()["message"]
    assert error(save(alice, key, nodes, [line(1, 1)])) == (400, 31)
    diamond = [line(0, 1, "True"), line(0, 2, "False"), line(1, 2), line(0, 1, "Other"), line(0, 1, "Other")]
    assert len(saved(alice, key, nodes, diamond)["connections"]) == 4


WRONG: list[tuple[Any, str]] = [
    ({"nodes": [{"name": "a"}]}, "type"),
    ({"nodes": [{"type": SWITCH, "name": " "}]}, "name"),
    ({"nodes": [{"type": "t" * 256, "name": "a"}]}, "nodes[0]"),
    ({"nodes": [{"type": SWITCH, "name": "a", "configuration": "x"}]}, "configuration"),
    ({"nodes": [{"type": SWITCH, "name": "a", "configurationVersion": 2**31}]}, "configurationVersion"),
    ({"nodes": [{"type": SWITCH, "name": "a", "debugSettings": {"allEnabledUntil": -1}}]}, "allEnabledUntil"),
    ({"nodes": {}}, "nodes"),
    ({"firstNodeIndex": 5}, "firstNodeIndex"),
    ({"firstNodeIndex": "0"}, "firstNodeIndex"),
    ({"connections": [{"fromIndex": 0, "toIndex": 7, "type": "x"}]}, "toIndex"),
    ({"connections": [{"fromIndex": 0, "type": "x"}]}, "toIndex"),
    ({"connections": [{"fromIndex": 0, "toIndex": 1, "type": ""}]}, "type"),
    ({"connections": [5]}, "connections"),
    ({"ruleChainConnections": [{"fromIndex": 0, "type": "x"}]}, "targetRuleChainId"),
    ({"ruleChainId": None}, "ruleChainId"),
    ({"nodes": [{"type": SWITCH, "name": "a", "configuration": {"a": "x" * (4 * 1024 * 1024)}}] * 2}, "bytes"),
]


@pytest.mark.parametrize(("wrong", "word"), WRONG, ids=[str(each)[:60] for each, _ in WRONG])
def test_what_is_wrong_is_said_and_nothing_changes(cast: Cast, wrong: Any, word: str) -> None:
    alice = api(cast.alice)
    key = id_of(create(alice))
    before = saved(alice, key, [node(SWITCH, "a"), node(LOG, "b")], [line(0, 1)])
    body = {**inside(key, before["nodes"], before["connections"]), **wrong}
    answer = alice.post("/api/ruleChain/metadata", body, format="json")
    assert answer.status_code in (400, 413) and word in answer.json()["message"], answer.content
    assert metadata(alice, key) == before


def test_a_chain_has_a_bounded_number_of_nodes(cast: Cast) -> None:
    alice = api(cast.alice)
    key = id_of(create(alice))
    with override_settings(TB_RULE_CHAIN_NODES=2):
        answer = save(alice, key, [node(LOG, str(n)) for n in range(3)])
        assert error(answer) == (400, 31) and "at most 2" in answer.json()["message"]
        saved(alice, key, [node(LOG, str(n)) for n in range(2)])


def test_another_chains_node_is_not_taken_over_by_its_id(cast: Cast) -> None:
    theirs = saved(api(cast.gina), id_of(create(api(cast.gina))), [node(LOG, "theirs")])["nodes"][0]
    alice = api(cast.alice)
    found = saved(alice, id_of(create(alice)), [{**theirs, "name": "mine"}])["nodes"][0]
    assert found["id"] != theirs["id"] and found["name"] == "mine"
    assert RuleNode.objects.get(pk=theirs["id"]["id"]).name == "theirs"
    twice = saved(alice, found["ruleChainId"]["id"], [found, found])["nodes"]
    assert len({each["id"]["id"] for each in twice}) == 2


def test_a_foreign_chain_is_not_found(cast: Cast) -> None:
    key = id_of(create(api(cast.gina)))
    alice = api(cast.alice)
    assert error(save(alice, key, [node(LOG, "a")])) == (404, 32)
    assert error(alice.get(f"/api/ruleChain/{key}/metadata")) == (404, 32)
    assert metadata(api(cast.gina), key)["nodes"] == []


def test_all_messages_of_a_node_are_shown_for_a_limited_time(cast: Cast) -> None:
    alice = api(cast.alice)
    key = id_of(create(alice))
    told = [
        node(LOG, "now", debugSettings={"failuresEnabled": True, "allEnabled": True}),
        node(LOG, "for ever", debugSettings={"allEnabledUntil": 2**60}),
        node(LOG, "old client", debugMode=True),
        node(LOG, "quiet"),
    ]
    found = [each["debugSettings"] for each in saved(alice, key, told)["nodes"]]
    created = RuleNode.objects.filter(chain=key).latest("created_time").created_time
    for settings in found[:3]:
        assert settings.keys() == {"failuresEnabled", "allEnabledUntil"}
        assert 14 * 60_000 < settings["allEnabledUntil"] - created < 16 * 60_000
    assert [each["failuresEnabled"] for each in found[:3]] == [True, False, True] and found[3] is None


def test_connections_to_chains_of_older_clients_become_input_nodes(cast: Cast) -> None:
    alice = api(cast.alice)
    target, key = create(alice, "Target"), id_of(create(alice))
    lines = [{"fromIndex": 0, "targetRuleChainId": target["id"], "additionalInfo": {"layoutX": 5}, "type": "Alarm"}]
    found = saved(alice, key, [node(SWITCH, "a")], ruleChainConnections=lines)
    made = found["nodes"][1]
    assert made["type"] == INPUT and made["configuration"]["ruleChainId"] == id_of(target)
    assert made["additionalInfo"] == {"layoutX": 5} and found["ruleChainConnections"] is None
    assert found["connections"] == [line(0, 1, "Alarm")]


def test_who_uses_an_output_follows_its_new_name(cast: Cast) -> None:
    alice = api(cast.alice)
    called, caller = id_of(create(alice, "Called")), id_of(create(alice, "Caller"))
    outputs = [node(OUTPUT, "hot"), node(OUTPUT, "cold")]
    outputs_of = saved(alice, called, outputs, first=None)
    using = [node(INPUT, "into", configuration={"ruleChainId": called}), node(LOG, "x"), node(LOG, "y")]
    saved(alice, caller, using, [line(0, 1, "hot"), line(0, 2, "cold"), line(0, 1, "Failure")])
    assert alice.get(f"/api/ruleChain/{called}/output/labels").json() == ["cold", "hot"]
    (usage,) = alice.get(f"/api/ruleChain/{called}/output/labels/usage").json()
    assert usage["labels"] == ["Failure", "cold", "hot"]
    assert (usage["ruleChainName"], usage["ruleNodeName"], usage["ruleChainId"]["id"]) == ("Caller", "into", caller)

    renamed = [{**each, "name": {"hot": "warm"}.get(each["name"], each["name"])} for each in outputs_of["nodes"]]
    saved(alice, called, renamed, first=None)
    after = metadata(alice, caller)
    assert {each["type"] for each in after["connections"]} == {"warm", "cold", "Failure"} and after["version"] == 3
    definition = RuleChainVersion.objects.get(chain=caller, number=3).definition
    assert {each[2] for each in definition["connections"]} == {"warm", "cold", "Failure"}

    back = [{**each, "name": "hot again" if each["name"] == "warm" else each["name"]} for each in renamed]
    saved(alice, called, back, first=None, query="?updateRelated=false")
    assert metadata(alice, caller) == after


def test_a_label_that_another_output_still_has_stays(cast: Cast) -> None:
    alice = api(cast.alice)
    called, caller = id_of(create(alice, "Called")), id_of(create(alice, "Caller"))
    outputs_of = saved(alice, called, [node(OUTPUT, "hot"), node(OUTPUT, "hot")], first=None)
    using = [node(INPUT, "into", configuration={"ruleChainId": called}), node(LOG, "x")]
    before = saved(alice, caller, using, [line(0, 1, "hot")])
    saved(alice, called, [{**outputs_of["nodes"][0], "name": "warm"}, outputs_of["nodes"][1]], first=None)
    assert metadata(alice, caller) == before
