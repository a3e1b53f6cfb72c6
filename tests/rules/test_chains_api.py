"""/api/ruleChain*: chains themselves."""

import json
import uuid

import pytest

from devices.services.asset_profiles import create_asset_profile, update_asset_profile
from rules.models import RuleChain, RuleChainVersion
from rules.services.epoch import current_epoch
from tenants.models import AuditLog
from tests.cast import Cast, api, error
from tests.rules.chains import LOG, SWITCH, create, id_of, metadata, node, root_of, saved
from thingsboard.kernel.models import OutboxRow
from thingsboard.kernel.outbox.messages import decode


def test_a_new_tenant_has_the_root_chains_of_thingsboard(cast: Cast) -> None:
    alice = api(cast.alice)
    root = root_of(alice)
    assert (root["name"], root["type"], root["tenantId"]["id"]) == ("Root Rule Chain", "CORE", str(cast.acme.pk))
    found = metadata(alice, id_of(root))
    names = [node["name"] for node in found["nodes"]]
    assert names == [
        "Save Timeseries",
        "Save Client Attributes",
        "Message Type Switch",
        "Log RPC from Device",
        "Log Other",
        "RPC Call Request",
    ]
    assert found["firstNodeIndex"] == 2 and found["nodes"][2]["type"] == SWITCH
    assert [(each["toIndex"], each["type"]) for each in found["connections"]] == [
        (0, "Post telemetry"),
        (1, "Post attributes"),
        (3, "RPC Request from Device"),
        (4, "Other"),
        (5, "RPC Request to Device"),
    ]
    assert root["firstRuleNodeId"] == found["nodes"][2]["id"]
    edge = alice.get("/api/ruleChains?pageSize=10&page=0&type=EDGE").json()["data"]
    assert [(each["name"], each["root"]) for each in edge] == [("Edge Root Rule Chain", True)]
    assert len(metadata(alice, id_of(edge[0]))["nodes"]) == 8


def test_a_chain_is_created_read_changed_and_deleted(cast: Cast) -> None:
    alice = api(cast.alice)
    chain = create(alice, "Pumps", additionalInfo={"description": "of the cellar"})
    assert chain["version"] == 1 and chain["type"] == "CORE" and not chain["root"] and chain["firstRuleNodeId"] is None
    key = id_of(chain)
    changed = alice.post("/api/ruleChain", {**chain, "name": "Valves", "debugMode": True}, format="json").json()
    assert (changed["name"], changed["debugMode"], changed["version"]) == ("Valves", True, 2)
    assert changed["createdTime"] == chain["createdTime"]
    assert alice.get(f"/api/ruleChain/{key}").json() == changed
    assert alice.delete(f"/api/ruleChain/{key}").status_code == 200
    assert error(alice.get(f"/api/ruleChain/{key}")) == (404, 32)
    deeds = AuditLog.objects.filter(entity_id=key).order_by("created_time")
    assert [each.action for each in deeds] == ["ADDED", "UPDATED", "DELETED"]


def test_who_saw_an_older_version_is_told_so(cast: Cast) -> None:
    alice = api(cast.alice)
    chain = create(alice)
    alice.post("/api/ruleChain", {**chain, "name": "First"}, format="json")
    assert error(alice.post("/api/ruleChain", {**chain, "name": "Second"}, format="json")) == (409, 35)
    assert alice.get(f"/api/ruleChain/{id_of(chain)}").json()["name"] == "First"


def test_there_is_one_root_and_it_is_not_deleted(cast: Cast) -> None:
    alice = api(cast.alice)
    before, chain = root_of(alice), create(alice)
    answer = alice.post("/api/ruleChain", {"name": "Other", "root": True}, format="json")
    assert error(answer) == (400, 31) and "Another root rule chain" in answer.json()["message"]
    assert error(alice.post("/api/ruleChain", {**chain, "root": True}, format="json")) == (400, 31)
    assert alice.post(f"/api/ruleChain/{id_of(chain)}/root").json()["root"] is True
    assert root_of(alice)["name"] == "Pumps"
    answer = alice.delete(f"/api/ruleChain/{id_of(chain)}")
    assert (
        error(answer) == (400, 31) and answer.json()["message"] == "Deletion of Root Tenant Rule Chain is prohibited!"
    )
    assert alice.delete(f"/api/ruleChain/{id_of(before)}").status_code == 200


def test_a_chain_of_one_type_is_no_root_of_the_other(cast: Cast) -> None:
    alice = api(cast.alice)
    core, edge = create(alice), create(alice, "Edge", type="EDGE")
    assert error(alice.post(f"/api/ruleChain/{id_of(edge)}/root")) == (400, 31)
    assert error(alice.post(f"/api/ruleChain/{id_of(core)}/edgeTemplateRoot")) == (400, 31)
    assert alice.post(f"/api/ruleChain/{id_of(edge)}/edgeTemplateRoot").json()["root"] is True
    assert root_of(alice)["name"] == "Root Rule Chain"
    assert error(alice.post(f"/api/ruleChain/{id_of(core)}/autoAssignToEdge")) == (400, 31)
    alice.post(f"/api/ruleChain/{id_of(edge)}/autoAssignToEdge")
    assert [each["name"] for each in alice.get("/api/ruleChain/autoAssignToEdgeRuleChains").json()] == ["Edge"]
    alice.delete(f"/api/ruleChain/{id_of(edge)}/autoAssignToEdge")
    assert alice.get("/api/ruleChain/autoAssignToEdgeRuleChains").json() == []
    answer = alice.post("/api/ruleChain", {**core, "type": "EDGE"}, format="json")
    assert error(answer) == (400, 31) and "stays CORE" in answer.json()["message"]


def test_a_chain_that_a_profile_names_is_not_deleted(cast: Cast) -> None:
    alice = api(cast.alice)
    chain = create(alice)
    profile = {"name": "pump", "defaultRuleChainId": chain["id"]}
    made = alice.post("/api/deviceProfile", profile, format="json").json()
    answer = alice.delete(f"/api/ruleChain/{id_of(chain)}")
    assert error(answer) == (400, 31)
    assert answer.json()["message"] == "The rule chain referenced by the device profiles cannot be deleted!"
    assert alice.delete(f"/api/deviceProfile/{made['id']['id']}").status_code == 200
    assert alice.delete(f"/api/ruleChain/{id_of(chain)}").status_code == 200


def test_a_chain_that_an_asset_profile_names_is_not_deleted(cast: Cast) -> None:
    alice = api(cast.alice)
    chain = create(alice)
    epoch = current_epoch()
    made = create_asset_profile(cast.acme.pk, "house", default_rule_chain_id=uuid.UUID(id_of(chain)))
    assert current_epoch() > epoch
    answer = alice.delete(f"/api/ruleChain/{id_of(chain)}")
    assert error(answer) == (400, 31) and "asset profiles" in answer.json()["message"]
    epoch = current_epoch()
    update_asset_profile(made, "house", default_rule_chain_id=None)
    assert current_epoch() > epoch
    assert alice.delete(f"/api/ruleChain/{id_of(chain)}").status_code == 200


def test_rules_hear_of_what_happens_to_chains(cast: Cast) -> None:
    alice = api(cast.alice)
    OutboxRow.objects.all().delete()
    chain = create(alice)
    saved(alice, id_of(chain), [node(LOG, "a")])
    alice.delete(f"/api/ruleChain/{id_of(chain)}")
    told = [each for row in OutboxRow.objects.order_by("id") for each in decode(row.body)]
    assert [each.type for each in told] == ["ENTITY_CREATED", "ENTITY_UPDATED", "ENTITY_DELETED"]
    assert {str(each.originator.id) for each in told} == {id_of(chain)}
    assert json.loads(told[0].data) == chain


def test_a_foreign_chain_is_no_profiles_default(cast: Cast) -> None:
    theirs = create(api(cast.gina))
    answer = api(cast.alice).post(
        "/api/deviceProfile", {"name": "pump", "defaultRuleChainId": theirs["id"]}, format="json"
    )
    assert error(answer) == (400, 31)


def test_every_change_of_what_happens_to_messages_raises_the_epoch(cast: Cast) -> None:
    alice = api(cast.alice)
    epochs = [current_epoch()]

    def raised() -> bool:
        epochs.append(current_epoch())
        return epochs[-1] > epochs[-2]

    chain = create(alice)
    assert raised()
    alice.post("/api/ruleChain", {**chain, "name": "Valves"}, format="json")
    assert raised()
    alice.post(f"/api/ruleChain/{id_of(chain)}/root")
    assert raised()
    profile = alice.post("/api/deviceProfile", {"name": "pump"}, format="json").json()
    assert not raised()  # it says nothing of chains and queues
    profile = alice.post("/api/deviceProfile", {**profile, "defaultRuleChainId": chain["id"]}, format="json").json()
    assert raised()
    profile = alice.post("/api/deviceProfile", {**profile, "defaultQueueName": "HighPriority"}, format="json").json()
    assert raised()
    alice.post("/api/deviceProfile", {**profile, "description": "d"}, format="json")
    assert not raised()


def test_what_is_no_chain_is_refused_in_words(cast: Cast) -> None:
    alice = api(cast.alice)
    for body, word in (
        ({}, "name"),
        ({"name": "  "}, "name"),
        ({"name": "n" * 256}, "name"),
        ({"name": "n", "type": "CLOUD"}, "type"),
        ({"name": "n", "additionalInfo": []}, "additionalInfo"),
        ({"name": "n", "debugMode": "yes"}, "debugMode"),
        ({"name": "n", "configuration": {"a": "x" * (4 * 1024 * 1024)}}, "bytes"),
    ):
        answer = alice.post("/api/ruleChain", body, format="json")
        assert answer.status_code in (400, 413) and word in answer.json()["message"], answer.content
    assert error(alice.get("/api/ruleChains?pageSize=10&page=0&type=CLOUD")) == (400, 31)


def test_the_tenant_profile_limits_the_number_of_chains(cast: Cast) -> None:
    profile = cast.acme.profile
    profile.profile_data = {"configuration": {"type": "DEFAULT", "maxRuleChains": 3}}
    profile.save()
    create(api(cast.alice))
    assert error(api(cast.alice).post("/api/ruleChain", {"name": "Fourth"}, format="json")) == (403, 41)


def test_lists_are_pages_of_one_type_or_name_their_chains(cast: Cast) -> None:
    alice = api(cast.alice)
    first, second = create(alice, "B"), create(alice, "A")
    foreign = create(api(cast.gina))
    page = alice.get("/api/ruleChains?pageSize=2&page=0&sortProperty=name&sortOrder=ASC").json()
    assert [each["name"] for each in page["data"]] == ["A", "B"] and page["totalElements"] == 3
    keys = ",".join(id_of(each) for each in (second, foreign, first))
    for path in ("ruleChains", "ruleChains/list"):
        assert alice.get(f"/api/{path}?ruleChainIds={keys}").json() == [second, first]


def test_a_default_chain_for_a_device_profile_has_the_roots_nodes(cast: Cast) -> None:
    alice = api(cast.alice)
    chain = alice.post("/api/ruleChain/device/default", {"name": "Pumps"}, format="json").json()
    assert chain["additionalInfo"] == {"description": ""} and not chain["root"]
    found = metadata(alice, id_of(chain))
    assert len(found["nodes"]) == 6 and found["nodes"][4]["type"] == LOG
    assert error(alice.post("/api/ruleChain/device/default", {}, format="json")) == (400, 31)


@pytest.mark.parametrize("kind", ["CORE", "EDGE"])
def test_a_tenants_chains_go_with_it(cast: Cast, kind: str) -> None:
    create(api(cast.gina), type=kind)
    assert api(cast.sam).delete(f"/api/tenant/{cast.globex.pk}").status_code == 200
    assert not RuleChain.objects.filter(tenant_id=cast.globex.pk).exists()
    kept = RuleChain.objects.values("pk")
    assert not RuleChainVersion.objects.exclude(chain__in=kept).exists()
