"""The whole path of a message: on demand for an originator, or sampled."""

import uuid
from typing import Any

import pytest

from rules.engine.chains import ChainCache
from rules.engine.drain import Drain
from rules.models import DebugBudget, PlanEpoch, Queue, RuleChain, Trace, TraceDemand
from rules.nodes.action.create_alarm import CreateAlarm
from rules.nodes.action.log import Log
from rules.nodes.action.save_time_series import SaveTimeSeries
from rules.nodes.filter.message_type_filter import MessageTypeFilter
from rules.nodes.filter.message_type_switch import MessageTypeSwitch
from rules.nodes.flow.output import Output
from rules.nodes.flow.rule_chain import RuleChain as RuleChainNode
from rules.services.retention import forget
from rules.services.traces import end_expired, end_trace, start_trace
from tests.cast import Cast
from tests.rules.engine.world import drain, make_chain, queue, telemetry, waiting
from thingsboard.kernel import time as clock
from thingsboard.kernel.ids import EntityId, EntityType
from thingsboard.kernel.models import DeadLetter, OutboxRow
from thingsboard.kernel.time import now_ms

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _nothing_else(cast: Cast) -> None:
    """Making a device is an event too: here nothing but what a test queues is."""
    assert cast.device and cast.bobs_device
    OutboxRow.objects.all().delete()


def trace(cast: Cast, device_id: uuid.UUID, messages: int = 10, minutes: int = 5) -> TraceDemand:
    return start_trace(cast.acme.pk, EntityId(EntityType.DEVICE, device_id), messages=messages, minutes=minutes)


def told() -> Trace:
    """The trace of the device's telemetry; that of a new alarm is another message of the device."""
    return Trace.objects.get(type="POST_TELEMETRY_REQUEST")


def test_a_trace_has_the_path_of_a_message_with_what_each_node_made_of_it(cast: Cast) -> None:
    inner = make_chain(
        cast.acme.pk, [(CreateAlarm, {"alarmType": "Hot"}), (Output, {})], [(0, 1, "Created")], root=False
    )
    call = {"ruleChainId": str(inner.pk)}
    outer = make_chain(
        cast.acme.pk,
        [(MessageTypeSwitch, {}), (SaveTimeSeries, {}), (RuleChainNode, call), (Log, {})],
        [(0, 1, "Post telemetry"), (1, 2, "Success"), (2, 3, "node 1")],
    )
    trace(cast, cast.device.pk)
    queue(cast.acme.pk, telemetry(cast.device.pk, b'{"t":1}'), telemetry(cast.bobs_device.pk, b'{"t":2}'))
    drain()
    found = told()
    steps, messages = found.timeline["steps"], found.timeline["messages"]
    assert (found.originator_id, found.type, found.queue) == (cast.device.pk, "POST_TELEMETRY_REQUEST", "Main")
    assert (found.chain_id, found.error, found.nodes) == (outer.pk, "", 6)
    assert [each["nodeName"] for each in steps] == ["node 0", "node 1", "node 2", "node 0", "node 1", "node 3"]
    assert [each["depth"] for each in steps] == [0, 0, 0, 1, 1, 0]
    assert [each["from"] for each in steps] == [None, 0, 1, 2, 3, 2]
    assert [each["by"] for each in steps] == ["", "Post telemetry", "Success", "", "Created", "node 1"]
    assert [each["chain"] for each in steps][3:] == [str(inner.pk), str(inner.pk), str(outer.pk)]
    assert steps[2]["out"] == [{"relation": "", "msg": 0, "enters": True}, {"relation": "node 1", "msg": 1}]
    assert steps[4]["out"] == [{"relation": "node 1", "msg": 1, "leaves": True}]
    assert steps[5]["out"] == [{"relation": "Success", "msg": 1, "ends": True}]
    assert messages[0]["data"] == '{"t":1}' and messages[0]["metadata"]["deviceName"] == "Meter"
    assert messages[1]["type"] == "ALARM" and messages[1]["metadata"]["isNewAlarm"] == "true"
    assert found.wait_us > 0 and found.write_us > 0
    assert abs(found.run_us - sum(each["us"] for each in steps)) < 2  # each is rounded by itself
    assert steps[5]["at"] >= steps[4]["at"] > 0


def test_messages_of_one_batch_share_the_time_of_a_node(cast: Cast) -> None:
    make_chain(cast.acme.pk, [(SaveTimeSeries, {})])
    trace(cast, cast.device.pk)
    queue(cast.acme.pk, *[telemetry(cast.device.pk, b'{"t":1}', number) for number in range(4)])
    drain()
    assert [(each.batch, each.steps[0]["batch"]) for each in Trace.objects.all()] == [(4, 4)] * 4
    assert len({each.steps[0]["us"] for each in Trace.objects.all()}) == 1


def test_a_message_that_fails_has_a_trace_that_says_where_and_why(cast: Cast) -> None:
    make_chain(cast.acme.pk, [(MessageTypeFilter, {}), (CreateAlarm, {"alarmType": "${kind}"})], [(0, 1, "True")])
    trace(cast, cast.device.pk)
    queue(cast.acme.pk, telemetry(cast.device.pk, b"{}")._replace(metadata={"kind": "x" * 300}))
    drain()
    found = Trace.objects.get()
    assert DeadLetter.objects.count() == 1
    assert found.error and found.steps[1]["out"][0]["error"] == found.error
    assert found.steps[1]["out"][0] | {"msg": 0} == {
        "relation": "Failure", "msg": 0, "error": found.error, "ends": True,
    }  # fmt: skip


def test_a_message_that_finds_no_chain_has_a_trace_without_steps(cast: Cast) -> None:
    RuleChain.objects.update(root=False)
    trace(cast, cast.device.pk)
    queue(cast.acme.pk, telemetry(cast.device.pk, b"{}"))
    drain()
    found = Trace.objects.get()
    assert (found.chain_id, found.nodes) == (None, 0) and "root rule chain" in found.error


def test_a_demand_is_over_after_so_many_messages_and_has_plans_made_anew(cast: Cast) -> None:
    make_chain(cast.acme.pk, [(Log, {})])
    worker = Drain()
    queue(cast.acme.pk, telemetry(cast.device.pk, b"{}"))
    drain(worker)  # it knows the tenant's chains
    demand = trace(cast, cast.device.pk, messages=3)
    for turn in range(3):
        queue(cast.acme.pk, *[telemetry(cast.device.pk, b"{}", turn * 2 + number) for number in range(2)])
        drain(worker)
    worker.close()
    demand.refresh_from_db()
    assert Trace.objects.count() == demand.taken == 3 and not demand.active
    assert set(Trace.objects.values_list("demand_id", flat=True)) == {demand.pk}
    assert not ChainCache().of(cast.acme.pk).any_traced


def test_a_demand_is_over_after_so_many_minutes(cast: Cast) -> None:
    make_chain(cast.acme.pk, [(Log, {})])
    demand = trace(cast, cast.device.pk, minutes=2)
    cache = ChainCache()
    assert cache.of(cast.acme.pk).any_traced and cast.device.pk in cache.of(cast.acme.pk).traced
    assert not cache.of(cast.globex.pk).any_traced
    end = now_ms() + 120_000
    clock.set_source(lambda: end / 1000)
    try:
        assert not cache.of(cast.acme.pk).any_traced
        epoch = PlanEpoch.objects.get().epoch
        assert (end_expired(), end_expired()) == (1, 0)
        assert PlanEpoch.objects.get().epoch == epoch + 1
        queue(cast.acme.pk, telemetry(cast.device.pk, b"{}"))
        drain()
    finally:
        clock.set_source(None)
    demand.refresh_from_db()
    assert not demand.active and not Trace.objects.exists()


def test_a_demand_that_is_ended_traces_nothing_more(cast: Cast) -> None:
    make_chain(cast.acme.pk, [(Log, {})])
    end_trace(trace(cast, cast.device.pk))
    queue(cast.acme.pk, telemetry(cast.device.pk, b"{}"))
    drain()
    assert waiting() == 0 and not Trace.objects.exists()


def test_samples_are_taken_so_often_in_a_minute_by_all_workers_together(cast: Cast, settings: Any) -> None:
    make_chain(cast.acme.pk, [(Log, {})])
    queue(cast.acme.pk, telemetry(cast.device.pk, b"{}"))
    drain()
    assert not Trace.objects.exists()
    settings.TB_RULE_TRACE_PER_MINUTE = 2
    clock.set_source(lambda: 1_800_000_000.0)
    try:
        for turn in range(5):
            queue(cast.acme.pk, *[telemetry(cast.device.pk, b"{}", number) for number in range(3)])
            drain()  # each with a worker of its own
            assert Trace.objects.count() == min(turn + 1, 2)
    finally:
        clock.set_source(None)
    assert DebugBudget.objects.get().samples == 5
    assert set(Trace.objects.values_list("demand_id", flat=True)) == {None}


def test_a_timeline_is_bounded_however_long_the_path_and_large_the_messages(cast: Cast, settings: Any) -> None:
    settings.TB_RULE_DEBUG_MAX_BYTES = 128 * 1024
    nodes: list[Any] = [(MessageTypeFilter, {})] * 230
    make_chain(cast.acme.pk, nodes, [(number, number + 1, "True") for number in range(229)])
    trace(cast, cast.device.pk)
    queue(cast.acme.pk, telemetry(cast.device.pk, b'{"t":"' + b"x" * 500_000 + b'"}'))
    drain()
    found = Trace.objects.get()
    assert (len(found.steps), found.timeline["omitted"], found.nodes) == (200, 30, 230)
    assert len(found.timeline["messages"][0]["data"]) == 128 * 1024 and found.timeline["messages"][0]["cut"] is True


def test_a_run_that_is_undone_to_be_tried_again_leaves_a_trace_of_why(cast: Cast) -> None:
    Queue.objects.create(
        name="InOrder",
        submit_strategy={"type": "SEQUENTIAL_BY_ORIGINATOR"},
        processing_strategy={"type": "RETRY_FAILED_AND_TIMED_OUT", "retries": 1, "pauseBetweenRetries": 0},
    )
    make_chain(cast.acme.pk, [(CreateAlarm, {}), ("org.example.Strange", {})], [(0, 1, "Created")])
    trace(cast, cast.device.pk)
    queue(cast.acme.pk, telemetry(cast.device.pk, b"{}"), name="InOrder")
    for _ in range(50):
        drain()
        if not waiting():
            break
    assert DeadLetter.objects.count() == 1
    assert ["org.example.Strange" in each.error for each in Trace.objects.filter(queue="InOrder")] == [True, True]


def test_traces_beyond_a_tenants_share_are_forgotten(cast: Cast, settings: Any) -> None:
    make_chain(cast.acme.pk, [(Log, {})])
    trace(cast, cast.device.pk)
    queue(cast.acme.pk, *[telemetry(cast.device.pk, b"{}", number) for number in range(5)])
    drain()
    settings.TB_RULE_TRACES_PER_TENANT = 2
    assert forget() == 3
    Trace.objects.update(created_time=1)
    TraceDemand.objects.update(until=1)
    assert forget() == 3
    assert not Trace.objects.exists() and not TraceDemand.objects.exists()


def test_a_trace_says_that_values_were_stored_before_the_chain_had_them(cast: Cast) -> None:
    make_chain(cast.acme.pk, [(SaveTimeSeries, {}), (CreateAlarm, {})], [(0, 1, "Success")])
    trace(cast, cast.device.pk)
    queue(cast.acme.pk, telemetry(cast.device.pk, b'{"t":1}', stored=True))
    drain()
    came, made = told().timeline["messages"]
    assert came["stored"] is True and "stored" not in made
