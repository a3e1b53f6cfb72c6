"""Nodes that are debugged tell what happens at them, within bounds, with the batch's commit or not at all."""

import json
from typing import Any

import pytest

from alarms.models import Alarm
from rules.engine import ledger, slices
from rules.engine.drain import Drain
from rules.models import DebugBudget, RuleChain, RuleEvent, RuleNode
from rules.nodes.action.create_alarm import CreateAlarm
from rules.nodes.action.log import Log
from rules.nodes.action.save_time_series import SaveTimeSeries
from rules.nodes.filter.message_type_filter import MessageTypeFilter
from rules.nodes.filter.message_type_switch import MessageTypeSwitch
from rules.nodes.flow.output import Output
from rules.nodes.flow.rule_chain import RuleChain as RuleChainNode
from rules.services.retention import forget
from tests.cast import Cast
from tests.rules.engine.world import drain, make_chain, queue, telemetry, waiting
from thingsboard.kernel import time as clock
from thingsboard.kernel.models import DeadLetter, OutboxRow
from thingsboard.kernel.time import now_ms

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _nothing_else(cast: Cast) -> None:
    """Making a device is an event too: here nothing but what a test queues is."""
    assert cast.device and cast.bobs_device
    OutboxRow.objects.all().delete()


ALL = {"failuresEnabled": False, "allEnabledUntil": 4_000_000_000_000}
FAILURES = {"failuresEnabled": True, "allEnabledUntil": 0}


def said(chain: RuleChain, number: int) -> list[dict[str, Any]]:
    """The bodies of a node's events, the oldest first."""
    node = chain.versions.latest("number").definition["nodes"][number]["id"]
    rows = RuleEvent.objects.filter(entity_id=node, type="DEBUG_RULE_NODE").order_by("id")
    return [row.body for row in rows]


def debug_events() -> int:
    return RuleEvent.objects.exclude(type="LC_EVENT").count()


def test_a_debugged_node_tells_what_came_in_and_what_went_out(cast: Cast) -> None:
    chain = make_chain(
        cast.acme.pk, [(MessageTypeSwitch, {}), (SaveTimeSeries, {})], [(0, 1, "Post telemetry")], debug={0: ALL}
    )
    queue(cast.acme.pk, telemetry(cast.device.pk, b'{"t":1}'), telemetry(cast.device.pk, b'{"t":2}', 2000))
    drain()
    first, second, third, fourth = said(chain, 0)
    assert (first["type"], second["type"], third["type"], fourth["type"]) == ("IN", "OUT", "IN", "OUT")
    assert first["data"] == '{"t":1}' and third["data"] == '{"t":2}'
    assert second["relationType"] == "Post telemetry" and "relationType" not in first
    assert (first["entityType"], first["entityId"]) == ("DEVICE", str(cast.device.pk))
    assert (first["msgType"], first["dataType"]) == ("POST_TELEMETRY_REQUEST", "JSON")
    assert json.loads(first["metadata"])["deviceName"] == "Meter"
    assert first["msgId"] == second["msgId"] != third["msgId"] and first["server"]
    assert said(chain, 1) == []


def test_nothing_is_written_where_nobody_debugs(cast: Cast) -> None:
    make_chain(cast.acme.pk, [(SaveTimeSeries, {})], debug={0: {"failuresEnabled": False, "allEnabledUntil": 1}})
    queue(cast.acme.pk, telemetry(cast.device.pk, b'{"t":1}'))
    drain()
    assert waiting() == 0
    assert not debug_events() and not DebugBudget.objects.exists()


def test_failures_alone_are_kept_where_only_they_are_wanted(cast: Cast) -> None:
    chain = make_chain(cast.acme.pk, [(SaveTimeSeries, {}), (Log, {})], [(0, 1, "Failure")], debug={0: FAILURES})
    queue(cast.acme.pk, telemetry(cast.device.pk, b'{"t":1}'), telemetry(cast.device.pk, b"[[1]]"))
    drain()
    (failure,) = said(chain, 0)
    assert (failure["type"], failure["relationType"]) == ("OUT", "Failure")
    assert failure["error"] and json.loads(failure["metadata"])["error"] == failure["error"]


def test_a_node_that_calls_a_chain_tells_by_which_label_messages_came_back(cast: Cast) -> None:
    inner = make_chain(cast.acme.pk, [(Output, {})], root=False)
    config = {"ruleChainId": str(inner.pk)}
    outer = make_chain(cast.acme.pk, [(RuleChainNode, config), (Log, {})], [(0, 1, "node 0")], debug={0: ALL})
    queue(cast.acme.pk, telemetry(cast.device.pk, b'{"t":1}'))
    drain()
    came, went = said(outer, 0)
    assert (came["type"], went["type"], went["relationType"]) == ("IN", "OUT", "node 0")


def test_a_chain_that_is_not_there_is_a_failure_of_the_node_that_calls_it(cast: Cast) -> None:
    config = {"ruleChainId": str(cast.device.pk)}
    chain = make_chain(cast.acme.pk, [(RuleChainNode, config)], debug={0: FAILURES})
    queue(cast.acme.pk, telemetry(cast.device.pk, b'{"t":1}'))
    drain()
    (failure,) = said(chain, 0)
    assert "does not exist" in failure["error"]


def test_texts_of_events_are_bounded_and_such_that_they_can_be_stored(cast: Cast, settings: Any) -> None:
    settings.TB_RULE_DEBUG_MAX_BYTES = 64
    chain = make_chain(cast.acme.pk, [(Log, {})], debug={0: ALL})
    long = telemetry(cast.device.pk, '{"t":"äääää\\u0000'.encode() + b"x" * 1000 + b'"}')
    queue(cast.acme.pk, long._replace(metadata={"a": "\0nul", "b": "x" * 1000, "c": "gone"}))
    drain()
    for body in said(chain, 0):
        assert len(body["data"].encode()) <= 64
        kept = json.loads(body["metadata"])
        assert kept["a"] == "\ufffdnul" and len(kept["b"]) < 64 and "c" not in kept


def test_a_tenant_has_so_many_events_in_a_minute_and_one_says_that_there_were_more(cast: Cast, settings: Any) -> None:
    settings.TB_RULE_DEBUG_PER_MINUTE = 5
    chain = make_chain(cast.acme.pk, [(Log, {})], debug={0: ALL})
    now = [1_800_000_000.0]
    clock.set_source(lambda: now[0])
    try:
        for turn in range(3):
            queue(cast.acme.pk, *[telemetry(cast.device.pk, b"{}", turn * 10 + number) for number in range(4)])
            drain()
        assert len(said(chain, 0)) == 5
        (told,) = RuleEvent.objects.filter(entity_id=chain.pk)
        assert (told.type, told.entity_type) == ("DEBUG_RULE_CHAIN", "RULE_CHAIN")
        assert "rate limit" in told.body["message"] and "5" in told.body["error"]
        assert DebugBudget.objects.get().dropped == 24 - 5
        now[0] += 60
        queue(cast.acme.pk, telemetry(cast.device.pk, b"{}"))
        drain()
    finally:
        clock.set_source(None)
    assert len(said(chain, 0)) == 7


def test_a_message_that_is_undone_leaves_no_event_but_that_of_its_failure(cast: Cast) -> None:
    chain = make_chain(
        cast.acme.pk,
        [(CreateAlarm, {"alarmType": "${kind}"}), (MessageTypeFilter, {})],
        [(1, 0, "True")],
        first=1,
        debug={0: ALL},
    )
    fine = telemetry(cast.device.pk, b"{}")._replace(metadata={"kind": "Hot"})
    bad = telemetry(cast.device.pk, b"{}")._replace(metadata={"kind": "x" * 300})
    queue(cast.acme.pk, fine, bad)
    drain()
    assert (Alarm.objects.count(), DeadLetter.objects.count()) == (1, 1)
    assert sorted((each["type"], each.get("relationType")) for each in said(chain, 0)) == sorted(
        [("IN", None), ("OUT", "Created"), ("IN", None), ("OUT", "Failure")], key=str
    )


def test_a_batch_that_is_rolled_back_leaves_no_events(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    chain = make_chain(cast.acme.pk, [(Log, {})], debug={0: ALL})
    queue(cast.acme.pk, telemetry(cast.device.pk, b"{}"))
    real = slices.write_down
    monkeypatch.setattr(slices, "write_down", lambda *found: (real(*found), 1 / 0))
    worker = Drain()
    for group in range(8):
        try:
            worker.work(group, 5.0, linger_s=0.0)
        except ZeroDivisionError:
            break
    else:
        pytest.fail("The batch was not run.")
    monkeypatch.undo()
    assert waiting() == 1 and not debug_events() and not DebugBudget.objects.exists()
    drain()
    assert waiting() == 0 and len(said(chain, 0)) == 2


def test_events_that_cannot_be_written_do_not_spoil_the_messages(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    make_chain(cast.acme.pk, [(CreateAlarm, {})], debug={0: ALL})
    monkeypatch.setattr(ledger, "_EVENTS", "SELECT 1 / 0, %s, %s, %s, %s, %s, %s")
    queue(cast.acme.pk, telemetry(cast.device.pk, b"{}"))
    drain()
    assert waiting() == 0 and Alarm.objects.count() == 1
    assert not debug_events() and not DeadLetter.objects.exists()


def test_old_events_and_those_beyond_a_nodes_share_are_forgotten(cast: Cast, settings: Any) -> None:
    chain = make_chain(cast.acme.pk, [(Log, {}), (Log, {})], [(0, 1, "Success")], debug={0: ALL, 1: ALL})
    queue(cast.acme.pk, *[telemetry(cast.device.pk, b'{"n":%d}' % number) for number in range(5)])
    drain()
    settings.TB_RULE_DEBUG_PER_NODE = 4
    assert forget() == 12
    assert [each["data"] for each in said(chain, 0)] == ['{"n":3}', '{"n":3}', '{"n":4}', '{"n":4}']
    RuleEvent.objects.filter(type="DEBUG_RULE_NODE").update(created_time=now_ms() - 8 * 86_400_000)
    assert forget() == 8
    assert not RuleNode.objects.filter(chain=chain).exists()  # events need no row of their node
