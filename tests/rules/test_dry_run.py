"""POST /api/v1/ruleChains/{id}/dry-run: what messages would cause, and that nothing of it happens."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection

from devices.services import activity
from rules import registry
from rules.engine.jails import jail_of_people
from rules.models import RuleChain
from rules.node import Node
from tests.cast import Cast, api
from tests.rules.engine.world import make_chain

SWITCH = "org.thingsboard.rule.engine.filter.TbMsgTypeSwitchNode"
SAVE = "org.thingsboard.rule.engine.telemetry.TbMsgTimeseriesNode"
ALARM = "org.thingsboard.rule.engine.action.TbCreateAlarmNode"
LOG = "org.thingsboard.rule.engine.action.TbLogNode"
SCRIPT = "org.thingsboard.rule.engine.transform.TbTransformMsgNode"
INPUT = "org.thingsboard.rule.engine.flow.TbRuleChainInputNode"


def kinds(*types: str) -> list[tuple[type[Node], dict[str, Any]]]:
    return [(registry.all()[each], {}) for each in types]


@contextmanager
def nothing_happens(cast: Cast) -> Iterator[None]:
    """No row of any table comes, goes or changes."""
    assert (
        cast.device and api(cast.alice).get("/api/v1/ruleChains").status_code == 200
    )  # what is made at the first request
    activity.times(cast.device.pk)  # the platform's own keys get their numbers once and for all
    before = _tables()
    yield
    after = _tables()
    assert {name for name in after if after[name] != before[name]} == set()


def _tables() -> dict[str, tuple[int, str]]:
    found = {}
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for (name,) in cursor.fetchall():
            cursor.execute(f'SELECT count(*), md5(string_agg(t::text, chr(10) ORDER BY t::text)) FROM "{name}" t')
            found[name] = cursor.fetchone()
    return found


def run(cast: Cast, chain: RuleChain, user: Any = None, **body: Any) -> Any:
    """The answer to a dry run."""
    return api(user or cast.alice).post(f"/api/v1/ruleChains/{chain.pk}/dry-run", body, format="json")


def message(cast: Cast, **more: Any) -> dict[str, Any]:
    return {"originator": {"entity_type": "DEVICE", "id": str(cast.device.pk)}, "data": {"t": 40}, "ts": 5_000, **more}


def alarms_chain(cast: Cast) -> RuleChain:
    lines = [(0, 1, "Post telemetry"), (1, 2, "Success"), (2, 3, "Created")]
    return make_chain(cast.acme.pk, kinds(SWITCH, SAVE, ALARM, LOG), lines, root=False)


def test_paths_and_effects_are_told_and_nothing_happens(cast: Cast) -> None:
    chain = alarms_chain(cast)
    with nothing_happens(cast):
        answer = run(cast, chain, messages=[message(cast), message(cast, data={"t": 41}, ts=6_000)])
    assert answer.status_code == 200, answer.content
    first, second = answer.json()["results"]
    assert [each["effect"] for each in first["effects"]] == ["save time series", "create alarm", "message", "log"]
    assert first["effects"][0]["timeseries"] == [{"ts": 5_000, "values": {"t": 40}}]
    assert first["effects"][0]["entity"] == {"entityType": "DEVICE", "id": str(cast.device.pk)}
    assert [step["nodeType"] for step in first["timeline"]["steps"]] == [SWITCH, SAVE, ALARM, LOG]
    assert first["message"]["metadata"] == {"deviceName": "Meter", "deviceType": "default", "ts": "5000"}
    # The second one finds the alarm of the first.
    assert [each["effect"] for each in second["effects"]] == ["save time series", "update alarm"]
    assert (first["outcome"], second["outcome"]) == ("done", "done")


def test_the_newest_telemetry_of_a_device_is_tried(cast: Cast) -> None:
    chain = alarms_chain(cast)
    saved = [{"ts": ts, "values": {"t": ts, "on": True}} for ts in (1_000, 2_000, 3_000)]
    path = f"/api/plugins/telemetry/DEVICE/{cast.device.pk}/timeseries/ANY"
    assert api(cast.alice).post(path, saved, format="json").status_code == 200
    originator = {"entity_type": "DEVICE", "id": str(cast.device.pk)}
    with nothing_happens(cast):
        results = run(cast, chain, newest={"originator": originator, "last": 2}).json()["results"]
    assert [each["message"]["data"] for each in results] == [{"on": True, "t": 2_000}, {"on": True, "t": 3_000}]
    assert [each["message"]["ts"] for each in results] == [2_000, 3_000]
    empty = {"entity_type": "DEVICE", "id": str(cast.bobs_device.pk)}
    assert run(cast, chain, newest={"originator": empty}).status_code == 404


def test_scripts_run_too(cast: Cast) -> None:
    script = {"scriptLang": "JS", "jsScript": "return {msg: {twice: msg.t * 2}};"}
    lines = [(0, 1, "Success")]
    chain = make_chain(cast.acme.pk, [(registry.all()[SCRIPT], script), *kinds(LOG)], lines, root=False)
    try:
        with nothing_happens(cast):
            (result,) = run(cast, chain, messages=[message(cast)]).json()["results"]
    finally:
        jail_of_people().close()
    assert result["effects"][0]["text"].startswith('\nIncoming message:\n{"twice":80}')


def test_an_older_version_can_be_tried(cast: Cast) -> None:
    chain = make_chain(cast.acme.pk, kinds(LOG), root=False)
    make_chain(cast.acme.pk, kinds(SWITCH), chain=chain)
    old, new = (run(cast, chain, messages=[message(cast)], version=number).json() for number in (1, 2))
    assert [each["effect"] for each in old["results"][0]["effects"]] == ["log"] and old["version"] == 1
    assert new["results"][0]["effects"] == []
    assert run(cast, chain, messages=[message(cast)], version=3).status_code == 404


def test_a_message_that_fails_says_why_and_the_next_one_runs(cast: Cast) -> None:
    chain = make_chain(cast.acme.pk, kinds(SAVE), root=False)
    bad, good = run(cast, chain, messages=[message(cast, data=[]), message(cast)]).json()["results"]
    assert bad["outcome"] == "failed" and "Msg body is empty" in bad["error"] and bad["effects"] == []
    assert good["outcome"] == "done" and good["effects"]


def test_an_empty_chain_does_nothing(cast: Cast) -> None:
    chain = make_chain(cast.acme.pk, [], first=None, root=False)
    (result,) = run(cast, chain, messages=[message(cast)]).json()["results"]
    assert (result["outcome"], result["effects"], result["timeline"]["steps"]) == ("done", [], [])


def test_nobody_tries_a_foreign_chain_or_a_foreign_device(cast: Cast) -> None:
    chain = make_chain(cast.acme.pk, kinds(LOG), root=False)
    foreign = {"entity_type": "DEVICE", "id": str(cast.foreign_device.pk)}
    assert run(cast, chain, cast.gina, messages=[message(cast)]).status_code == 404
    assert run(cast, chain, cast.bob, messages=[message(cast)]).status_code == 403
    assert run(cast, chain, messages=[message(cast, originator=foreign)]).status_code == 404
    assert run(cast, chain, newest={"originator": foreign}).status_code == 404
    unknown = {"entity_type": "DEVICE", "id": str(uuid.uuid4())}
    assert run(cast, chain, messages=[message(cast, originator=unknown)]).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"messages": []},
        {"messages": [{"data": {}}]},
        {"messages": "all"},
        {"messages": [{"originator": {"entity_type": "DEVICE", "id": "x"}, "data": 1}]},
        {"newest": {"originator": {"entity_type": "PLANET", "id": str(uuid.uuid4())}}},
        {"newest": {"originator": {"entity_type": "DEVICE", "id": str(uuid.uuid4())}, "last": 101}},
    ],
)
def test_what_cannot_be_tried_is_refused(cast: Cast, body: dict[str, Any]) -> None:
    chain = make_chain(cast.acme.pk, kinds(LOG), root=False)
    assert run(cast, chain, **body).status_code == 400


def test_too_many_and_too_large_messages_are_refused(cast: Cast) -> None:
    chain = make_chain(cast.acme.pk, kinds(LOG), root=False)
    assert run(cast, chain, messages=[message(cast)] * 101).status_code == 400
    assert run(cast, chain, messages=[message(cast, data="x" * 70_000)]).status_code == 400
    assert run(cast, chain, messages=[message(cast, metadata={str(n): "" for n in range(101)})]).status_code == 400


@pytest.mark.parametrize("kind", registry.all().values(), ids=lambda kind: kind.NAME)
def test_no_kind_of_node_touches_anything(cast: Cast, kind: type[Node]) -> None:
    chain = make_chain(cast.acme.pk, [(kind, {})], root=False)
    types = ["POST_TELEMETRY_REQUEST", "POST_ATTRIBUTES_REQUEST", "ENTITY_CREATED", "SEND_EMAIL"]
    messages = [message(cast, type=each, data={"temperature": 20, "method": "a", "params": {}}) for each in types]
    with nothing_happens(cast):
        answer = run(cast, chain, messages=messages)
    assert answer.status_code == 200, answer.content
    assert all(each["timeline"]["steps"] for each in answer.json()["results"])
