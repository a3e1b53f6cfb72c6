"""Two who write at the same time."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, transaction

from devices.models import DeviceProfile
from rules.models import RuleChain
from rules.services.epoch import raise_epoch
from tests.cast import Cast, api
from tests.rules.chains import INPUT, LOG, OUTPUT, create, id_of, inside, line, metadata, node, saved
from tests.tenants.test_administrators import waiting
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*deeds: Callable[[], Any]) -> list[int]:
    """The status of each."""
    start = Barrier(len(deeds))

    def run(deed: Callable[[], Any]) -> int:
        try:
            start.wait(10)
            return int(deed().status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(deeds)) as pool:
        return list(pool.map(run, deeds))


def test_of_those_who_saw_the_same_version_exactly_one_saves(cast: Cast) -> None:
    alice = api(cast.alice)
    key = id_of(create(alice))
    bodies = [inside(key, [node(LOG, str(number))], version=1) for number in range(4)]
    clients = [api(cast.alice) for _ in bodies]
    deeds = [
        lambda client=client, body=body: client.post("/api/ruleChain/metadata", body, format="json")
        for client, body in zip(clients, bodies, strict=True)
    ]
    assert sorted(at_once(*deeds)) == [200, 409, 409, 409]
    chain = RuleChain.objects.get(pk=key)
    assert chain.version == 2 and sorted(chain.versions.values_list("number", flat=True)) == [1, 2]
    assert len(metadata(alice, key)["nodes"]) == 1


@pytest.mark.parametrize("first", ["delete", "name"])
def test_a_chain_is_not_deleted_under_a_profile_that_is_being_given_it(cast: Cast, first: str) -> None:
    """Either may win, whoever came first: PostgreSQL makes no promise about who gets a row. Both is what must not be."""
    chain = create(api(cast.alice))
    one, other = api(cast.alice), api(cast.alice)
    profile = {"name": "pump", "defaultRuleChainId": chain["id"]}
    deeds: dict[str, Callable[[], Any]] = {
        "delete": lambda: one.delete(f"/api/ruleChain/{id_of(chain)}"),
        "name": lambda: other.post("/api/deviceProfile", profile, format="json"),
    }
    with ThreadPoolExecutor(2) as pool:
        with transaction.atomic():
            raise_epoch()  # both have looked, and wait for what they change last
            answers = {}
            for number, name in enumerate(sorted(deeds, key=lambda name: name != first), 1):
                answers[name] = pool.submit(at_once, deeds[name])
                until(lambda number=number: waiting() == number)
        statuses = {name: answer.result()[0] for name, answer in answers.items()}
        assert statuses in ({"delete": 200, "name": 404}, {"delete": 400, "name": 200})
    named = set(
        DeviceProfile.objects.exclude(default_rule_chain_id=None).values_list("default_rule_chain_id", flat=True)
    )
    assert named == set(RuleChain.objects.filter(name="Pumps").values_list("pk", flat=True))


def test_chains_that_use_each_other_are_saved_at_once_without_a_deadlock(cast: Cast) -> None:
    alice = api(cast.alice)
    keys = [id_of(create(alice, name)) for name in "ab"]
    insides = []
    for key, other in zip(keys, reversed(keys), strict=True):
        nodes = [node(INPUT, "into", configuration={"ruleChainId": other}), node(OUTPUT, "out 0")]
        insides.append(saved(alice, key, nodes, [line(0, 1, "out 0")]))
    for number in range(1, 4):
        deeds = []
        for key in keys:
            body = metadata(alice, key)
            (out,) = [each for each in body["nodes"] if each["type"] == OUTPUT]
            out["name"] = f"out {number}"
            del body["version"]  # the other save renames this one's connections
            client = api(cast.alice)
            deeds.append(lambda client=client, body=body: client.post("/api/ruleChain/metadata", body, format="json"))
        assert at_once(*deeds) == [200, 200]
    for key in keys:
        chain = RuleChain.objects.get(pk=key)
        assert chain.versions.filter(number=chain.version).exists()


def test_two_made_the_root_at_once_leave_one_root(cast: Cast) -> None:
    alice = api(cast.alice)
    keys = [id_of(create(alice, name)) for name in "abc"]
    clients = [api(cast.alice) for _ in keys]
    deeds = [
        lambda client=client, key=key: client.post(f"/api/ruleChain/{key}/root")
        for client, key in zip(clients, keys, strict=True)
    ]
    assert at_once(*deeds) == [200, 200, 200]
    assert RuleChain.objects.filter(tenant=cast.acme, type="CORE", root=True).count() == 1
