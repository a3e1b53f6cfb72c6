"""Rule chains and queues in the operators' admin."""

from typing import Any

from django.test import Client

from rules.models import Queue, RuleChain
from tenants.models import User
from tests.cast import Cast, api
from tests.rules.chains import LOG, SWITCH, create, id_of, line, metadata, node, saved

CHAINS = "/admin/rules/rulechain/"
QUEUES = "/admin/rules/queue/"


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def story(client: Any) -> str:
    """A chain of three versions."""
    key = id_of(create(client, "Pumps"))
    nodes = [node(SWITCH, "first of all"), node("com.example.TbOdd", "<b>odd</b>", configuration={"password": "hush"})]
    inside = saved(client, key, nodes, [line(0, 1, "Post telemetry")])
    saved(client, key, [inside["nodes"][0], {**inside["nodes"][1], "configuration": {"password": "psst"}}])
    return key


def test_each_tenant_administrator_sees_its_own_chains(cast: Cast) -> None:
    key, foreign = story(api(cast.alice)), story(api(cast.gina))
    alice = browser(cast.alice)
    listed = alice.get(CHAINS).text
    assert "Root Rule Chain" in listed and key in listed and foreign not in listed
    for path in (f"{foreign}/change/", f"{foreign}/versions/1/", f"{foreign}/delete/"):
        assert alice.get(CHAINS + path).status_code == 404
    for path in (f"{foreign}/versions/1/restore/", f"{foreign}/root/"):
        assert alice.post(CHAINS + path).status_code == 404
    assert metadata(api(cast.gina), foreign)["version"] == 3


def test_a_chain_is_shown_with_its_nodes_and_versions(cast: Cast) -> None:
    key = story(api(cast.alice))
    alice = browser(cast.alice)
    page = alice.get(f"{CHAINS}{key}/change/").text
    assert "first of all" in page and "TbOdd" in page and "not known here" in page
    assert "&lt;b&gt;odd&lt;/b&gt;" in page and "<b>odd</b>" not in page
    assert cast.alice.email in page and page.count("/restore/") == 2
    version = alice.get(f"{CHAINS}{key}/versions/2/").text
    assert "node added" in version and "Post telemetry" in version and "connection removed" in version
    assert "hush" in version and "psst" in version
    assert alice.get(f"{CHAINS}{key}/versions/9/").status_code == 404


def test_who_runs_the_installation_looks_and_changes_nothing(cast: Cast) -> None:
    key = story(api(cast.alice))
    sam = browser(cast.sam)
    page = sam.get(f"{CHAINS}{key}/change/").text
    assert "first of all" in page and "/restore/" not in page
    version = sam.get(f"{CHAINS}{key}/versions/3/").text
    assert "configuration.password" in version and "hush" not in version and "psst" not in version
    assert sam.post(f"{CHAINS}{key}/versions/1/restore/").status_code == 404
    assert sam.post(f"{CHAINS}{key}/root/").status_code == 404
    assert RuleChain.objects.get(pk=key).version == 3


def test_a_version_is_restored_with_a_button(cast: Cast) -> None:
    client = api(cast.alice)
    key = story(client)
    before = metadata(client, key)
    answer = browser(cast.alice).post(f"{CHAINS}{key}/versions/2/restore/", follow=True)
    assert "again what it was in version 2" in answer.text
    after = metadata(client, key)
    assert after["version"] == 4 and len(after["connections"]) == 1 and before["connections"] == []
    assert after["nodes"][1]["configuration"] == {"password": "hush"}


def test_a_chain_is_renamed_made_the_root_and_removed(cast: Cast) -> None:
    client, alice = api(cast.alice), browser(cast.alice)
    key = story(client)
    path = f"{CHAINS}{key}/change/"
    assert alice.post(path, {"name": "Valves", "read_version": 3}).status_code == 302
    chain = RuleChain.objects.get(pk=key)
    assert (chain.name, chain.version) == ("Valves", 4)
    stale = alice.post(path, {"name": "Late", "read_version": 3})
    assert stale.status_code == 200 and "changed by someone else" in stale.text
    assert alice.post(f"{CHAINS}{key}/root/").status_code == 302
    assert RuleChain.objects.get(pk=key).root
    refused = alice.post(f"{CHAINS}{key}/delete/", {"post": "yes"}, follow=True)
    assert "Deletion of Root Tenant Rule Chain is prohibited!" in refused.text
    other = id_of(create(client, "Other"))
    assert alice.post(f"{CHAINS}{other}/delete/", {"post": "yes"}).status_code == 302
    assert not RuleChain.objects.filter(pk=other).exists()


def test_queues_are_the_system_administrators_to_keep(cast: Cast) -> None:
    alice, sam = browser(cast.alice), browser(cast.sam)
    assert "SequentialByOriginator" in alice.get(QUEUES).text
    main = Queue.objects.get(name="Main")
    assert alice.get(f"{QUEUES}{main.pk}/change/").status_code == 200
    assert alice.get(f"{QUEUES}add/").status_code == 403
    said = {
        "poll_interval": 25, "partitions": 3, "consumer_per_partition": "on", "pack_processing_timeout": 2000,
        "submit_strategy": '{"type": "BURST", "batchSize": 10}', "processing_strategy": '{"type": "RETRY_ALL"}',
    }  # fmt: skip
    assert alice.post(f"{QUEUES}{main.pk}/change/", said).status_code == 403
    assert sam.post(f"{QUEUES}{main.pk}/change/", said).status_code == 302
    stale = sam.post(f"{QUEUES}{main.pk}/change/", {**said, "read_version": 1})
    assert stale.status_code == 200 and "changed by someone else" in stale.text
    main.refresh_from_db()
    assert (main.name, main.partitions, main.processing_strategy) == ("Main", 3, {"type": "RETRY_ALL"})
    wrong = sam.post(f"{QUEUES}add/", {**said, "name": "a b", "topic": "t"})
    assert wrong.status_code == 200 and "ASCII letters" in wrong.text
    no_object = sam.post(f"{QUEUES}add/", {**said, "name": "Fresh", "topic": "t", "submit_strategy": "[1]"})
    assert no_object.status_code == 200 and "submitStrategy.type" in no_object.text
    assert sam.post(f"{QUEUES}add/", {**said, "name": "Fresh", "topic": "t"}).status_code == 302
    refused = sam.post(f"{QUEUES}{main.pk}/delete/", {"post": "yes"}, follow=True)
    assert "cannot be deleted" in refused.text


def test_the_first_node_is_named(cast: Cast) -> None:
    client = api(cast.alice)
    key = id_of(create(client))
    saved(client, key, [node(LOG, str(n)) for n in range(60)])
    alice = browser(cast.alice)
    page = alice.get(f"{CHAINS}{key}/change/").text
    assert "(first)" in page and "Page 1 of 2" in page
    assert "(first)" not in alice.get(f"{CHAINS}{key}/change/?nodes=2").text
