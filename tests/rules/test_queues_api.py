"""/api/queues: queues of the whole system."""

from typing import Any

import pytest

from rules.models import Queue
from rules.services.seeds import seed
from tests.cast import Cast, api, error
from tests.rules.chains import LOG, create, id_of, node, saved

PAGE = "/api/queues?serviceType=TB_RULE_ENGINE&pageSize=10&page=0&sortProperty=name&sortOrder=ASC"
SAVE = "/api/queues?serviceType=TB-RULE-ENGINE"
SLOW: dict[str, Any] = {
    "name": "Slow",
    "topic": "tb_rule_engine.slow",
    "pollInterval": 25,
    "partitions": 10,
    "consumerPerPartition": False,
    "packProcessingTimeout": 60000,
    "submitStrategy": {"type": "SEQUENTIAL_BY_ORIGINATOR", "batchSize": 100},
    "processingStrategy": {
        "type": "RETRY_ALL",
        "retries": 5,
        "failurePercentage": 50,
        "pauseBetweenRetries": 1,
        "maxPauseBetweenRetries": 9,
    },
    "additionalInfo": {"description": "d"},
}


def test_every_installation_has_three_queues(cast: Cast) -> None:
    found = api(cast.alice).get(PAGE).json()["data"]
    assert [(each["name"], each["submitStrategy"]["type"], each["processingStrategy"]["type"]) for each in found] == [
        ("HighPriority", "BURST", "RETRY_FAILED_AND_TIMED_OUT"),
        ("Main", "BURST", "SKIP_ALL_FAILURES"),
        ("SequentialByOriginator", "SEQUENTIAL_BY_ORIGINATOR", "RETRY_FAILED_AND_TIMED_OUT"),
    ]
    assert found[1]["topic"] == "tb_rule_engine.main" and found[1]["tenantId"]["entityType"] == "TENANT"
    assert api(cast.alice).get("/api/queues/name/Main").json() == found[1]
    assert api(cast.alice).get("/api/queues?serviceType=TB_CORE&pageSize=10&page=0").json()["data"] == []


def test_system_administrators_keep_queues_and_tenants_choose_among_them(cast: Cast) -> None:
    sam, alice = api(cast.sam), api(cast.alice)
    made = sam.post(SAVE, SLOW, format="json").json()
    assert {name: made[name] for name in SLOW} == SLOW
    changed = sam.post(SAVE, {**made, "packProcessingTimeout": 5000}, format="json").json()
    assert changed == {**made, "packProcessingTimeout": 5000}
    key = made["id"]["id"]
    assert alice.get(f"/api/queues/{key}").json() == changed
    for answer in (alice.post(SAVE, SLOW, format="json"), alice.delete(f"/api/queues/{key}"), api(cast.bob).get(PAGE)):
        assert error(answer) == (403, 20)
    assert error(sam.post(SAVE, {**changed, "name": "Fast"}, format="json")) == (400, 31)
    assert error(sam.post(SAVE, SLOW, format="json")) == (400, 31)  # the name is taken
    assert sam.delete(f"/api/queues/{key}").status_code == 200
    assert error(sam.get(f"/api/queues/{key}")) == (404, 32)


def test_a_queue_that_something_names_is_not_deleted(cast: Cast) -> None:
    sam, alice = api(cast.sam), api(cast.alice)
    main = sam.get("/api/queues/name/Main").json()["id"]["id"]
    assert error(sam.delete(f"/api/queues/{main}")) == (400, 31)
    key = sam.post(SAVE, SLOW, format="json").json()["id"]["id"]
    profile = alice.post("/api/deviceProfile", {"name": "pump", "defaultQueueName": "Slow"}, format="json").json()
    answer = sam.delete(f"/api/queues/{key}")
    assert error(answer) == (400, 31) and "device profiles" in answer.json()["message"]
    alice.delete(f"/api/deviceProfile/{profile['id']['id']}")
    chain = id_of(create(alice))
    saved(alice, chain, [node(LOG, "a", queueName="Slow")])
    assert error(sam.delete(f"/api/queues/{key}")) == (400, 31)
    saved(alice, chain, [], first=None)
    assert sam.delete(f"/api/queues/{key}").status_code == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "with blank"},
        {"name": "n" * 65},
        {"topic": "a b"},
        {"pollInterval": 0},
        {"partitions": "many"},
        {"packProcessingTimeout": -1},
        {"submitStrategy": None},
        {"submitStrategy": {"type": "RANDOM"}},
        {"submitStrategy": {"type": ["BURST"]}},
        {"submitStrategy": {"type": "BATCH", "batchSize": 0}},
        {"processingStrategy": {"type": "RETRY_ALL", "failurePercentage": 101}},
        {"processingStrategy": {"type": "RETRY_ALL", "retries": -1}},
        {"processingStrategy": {"type": "RETRY_ALL", "pauseBetweenRetries": 5, "maxPauseBetweenRetries": 1}},
    ],
    ids=str,
)
def test_what_is_no_queue_is_refused(cast: Cast, wrong: dict[str, Any]) -> None:
    assert error(api(cast.sam).post(SAVE, {**SLOW, **wrong}, format="json")) == (400, 31)
    assert Queue.objects.count() == 3


def test_seeding_again_changes_nothing_and_brings_no_deleted_queue_back(cast: Cast) -> None:
    high = Queue.objects.get(name="HighPriority")
    api(cast.sam).delete(f"/api/queues/{high.pk}")
    seed()
    assert sorted(Queue.objects.values_list("name", flat=True)) == ["Main", "SequentialByOriginator"]
