"""Where ingest writes a message is derived from the chains, and no plan changes what is stored."""

import json
import uuid
from collections.abc import Iterator, Sequence

import pytest

from devices.models import Device
from rules.nodes.action.create_alarm import CreateAlarm
from rules.nodes.action.save_attributes import SaveAttributes
from rules.nodes.action.save_time_series import SaveTimeSeries
from rules.nodes.enrichment.originator_attributes import OriginatorAttributes
from rules.nodes.filter.check_fields_presence import CheckFieldsPresence
from rules.nodes.filter.message_type_filter import MessageTypeFilter
from rules.nodes.filter.message_type_switch import MessageTypeSwitch
from rules.services.plans import Handling, IngestPlan, Plans
from rules.services.traces import end_trace, start_trace
from tests.cast import Cast
from tests.rules.engine.test_contract import differing, tables, three
from tests.rules.engine.world import Spec, drain, make_chain, waiting
from thingsboard.kernel import time
from thingsboard.kernel.ids import EntityId, EntityType
from thingsboard.kernel.models import OutboxRow
from thingsboard.transports.lease import Lease
from thingsboard.transports.messages import Uplink, UplinkKind
from thingsboard.transports.session import DeviceSession
from thingsboard.transports.uplink import _Sink as Sink

pytestmark = pytest.mark.django_db(transaction=True)

SWITCH, SAVE = (MessageTypeSwitch, {}), (SaveTimeSeries, {})
ATTRIBUTES = (SaveAttributes, {"scope": "CLIENT_SCOPE"})
ALARM = (CreateAlarm, {"alarmType": "Any"})
Lines = Sequence[tuple[int, int, str]]
NOW = 1_800_000_000_000


def plan(cast: Cast, nodes: Sequence[Spec], lines: Lines) -> IngestPlan:
    make_chain(cast.acme.pk, nodes, lines)
    profile = cast.device.profile_id
    return Plans().of([(cast.acme.pk, profile)])[profile]


def test_the_chain_that_tenants_begin_with_stores_at_ingest_and_queues_nothing(cast: Cast) -> None:
    profile = cast.device.profile_id
    made = Plans().of([(cast.acme.pk, profile)])[profile]
    assert (made.telemetry, made.attributes) == (Handling.STORE, Handling.STORE)


def test_what_comes_behind_the_save_node_is_queued_as_well(cast: Cast) -> None:
    made = plan(cast, [SWITCH, SAVE, ALARM], [(0, 1, "Post telemetry"), (1, 2, "Success")])
    assert made.telemetry is Handling.STORE_AND_QUEUE
    assert made.attributes is Handling.QUEUE


def test_while_messages_of_a_tenant_are_traced_all_are_queued_as_well(cast: Cast) -> None:
    make_chain(cast.acme.pk, [SWITCH, SAVE], [(0, 1, "Post telemetry")])
    profile, plans = (cast.acme.pk, cast.device.profile_id), Plans()
    assert plans.of([profile])[profile[1]].telemetry is Handling.STORE
    demand = start_trace(cast.acme.pk, EntityId(EntityType.DEVICE, cast.device.pk), messages=2, minutes=5)
    plans.outdated()  # as whoever ingests by it finds, since the epoch was raised
    made = plans.of([profile])[profile[1]]
    assert (made.telemetry, made.until_ms) == (Handling.STORE_AND_QUEUE, demand.until)
    foreign = (cast.globex.pk, cast.foreign_device.profile_id)
    assert plans.of([foreign])[foreign[1]].telemetry is Handling.STORE
    end_trace(demand)
    plans.outdated()
    assert plans.of([profile])[profile[1]].telemetry is Handling.STORE


def test_another_branch_is_queued_as_well(cast: Cast) -> None:
    made = plan(cast, [SWITCH, SAVE, ALARM], [(0, 1, "Post telemetry"), (0, 2, "Post telemetry")])
    assert made.telemetry is Handling.STORE_AND_QUEUE


def test_a_filter_of_types_on_the_way_is_no_hindrance(cast: Cast) -> None:
    passing = (MessageTypeFilter, {"messageTypes": ["POST_TELEMETRY_REQUEST"]})
    assert plan(cast, [passing, SAVE], [(0, 1, "True")]).telemetry is Handling.STORE
    assert plan(cast, [passing, SAVE], [(0, 1, "False")]).telemetry is Handling.QUEUE


def test_a_test_of_more_than_the_type_leaves_storing_to_the_chain(cast: Cast) -> None:
    looking = (CheckFieldsPresence, {"messageNames": ["t"]})
    assert plan(cast, [looking, SAVE], [(0, 1, "True")]).telemetry is Handling.QUEUE


@pytest.mark.parametrize(
    "settings", [{"useServerTs": True}, {"defaultTTL": 60}, {"processingSettings": {"type": "WEBSOCKETS_ONLY"}}]
)
def test_a_save_node_that_does_not_store_it_as_it_came_leaves_storing_to_the_chain(
    cast: Cast, settings: dict[str, object]
) -> None:
    assert plan(cast, [(SaveTimeSeries, settings)], []).telemetry is Handling.QUEUE


def test_where_a_node_reads_what_is_stored_the_chain_stores_it_in_its_turn(cast: Cast) -> None:
    reading = (OriginatorAttributes, {"latestTsKeyNames": ["t"], "tellFailureIfAbsent": False})
    assert plan(cast, [SAVE, reading], [(0, 1, "Success")]).telemetry is Handling.QUEUE


def test_a_plan_is_made_anew_when_a_chain_was_saved(cast: Cast) -> None:
    plans = Plans()
    wanted = [(cast.acme.pk, cast.device.profile_id)]
    assert plans.of(wanted)[cast.device.profile_id].telemetry is Handling.STORE
    make_chain(cast.acme.pk, [ALARM])
    plans.outdated()
    assert plans.of(wanted)[cast.device.profile_id].telemetry is Handling.QUEUE


@pytest.fixture
def _still() -> Iterator[None]:
    time.set_source(lambda: NOW / 1000)
    yield
    time.set_source(None)


LATER = [{"ts": 1001, "values": {"t": 21}}, {"ts": 1002, "values": {"t": 22, "big": 12345678901234567890123}}]
BODIES = [
    (
        UplinkKind.TELEMETRY,
        {"ts": 1000, "values": {"t": 20.5, "on": True, "word": "x", "deep": {"a": [1, 2]}, "n": "12"}},
    ),
    (
        UplinkKind.TELEMETRY,
        [{"ts": 1001, "values": {"t": 21}}, {"ts": 1002, "values": {"t": 22, "big": 12345678901234567890123}}],
    ),
    (UplinkKind.TELEMETRY, {"t": 23, "e": 1e3}),
    (UplinkKind.ATTRIBUTES, {"limit": 3, "name": "pump", "deep": {"b": None}}),
    (UplinkKind.TELEMETRY, {"ts": 1000, "values": {"t": 99}}),
    (UplinkKind.ATTRIBUTES, {"limit": 4}),
    (UplinkKind.ATTRIBUTES, {"limit": 4}),
]
EVERYWHERE = (CheckFieldsPresence, {"messageNames": [], "checkAllKeys": True})
WORLDS: dict[str, tuple[Sequence[Spec], Lines, Handling, Handling]] = {
    "stored": (
        [SWITCH, SAVE, ATTRIBUTES],
        [(0, 1, "Post telemetry"), (0, 2, "Post attributes")],
        Handling.STORE,
        Handling.STORE,
    ),
    "stored and queued": (
        [SWITCH, SAVE, ATTRIBUTES, ALARM],
        [(0, 1, "Post telemetry"), (0, 2, "Post attributes"), (1, 3, "Success"), (2, 3, "Success")],
        Handling.STORE_AND_QUEUE,
        Handling.STORE_AND_QUEUE,
    ),
    "queued": (
        [EVERYWHERE, SWITCH, SAVE, ATTRIBUTES, ALARM],
        [(0, 1, "True"), (1, 2, "Post telemetry"), (1, 3, "Post attributes"), (2, 4, "Success"), (3, 4, "Success")],
        Handling.QUEUE,
        Handling.QUEUE,
    ),
}


def send(sink: Sink, devices: Sequence[Device]) -> None:
    """All bodies of all devices, in two batches, as the shard of a transport hands them over."""
    sessions = [DeviceSession(each.tenant_id, each.pk, each.profile_id) for each in devices]
    for bodies in (BODIES[:5], BODIES[5:]):
        messages = [
            Uplink(session, kind, json.dumps(body).encode(), NOW, None) for kind, body in bodies for session in sessions
        ]
        units, _, refused = sink.prepare(messages)
        assert not refused
        assert not sink.commit(units)


@pytest.mark.usefixtures("_still")
def test_all_plans_leave_the_same_values(cast: Cast) -> None:
    outcomes = {}
    for name, (nodes, lines, telemetry, attributes) in WORLDS.items():
        devices = three(cast, name)
        make_chain(cast.acme.pk, nodes, lines)
        made = Plans().of([(cast.acme.pk, devices[0].profile_id)])[devices[0].profile_id]
        assert (made.telemetry, made.attributes) == (telemetry, attributes)
        OutboxRow.objects.all().delete()
        sink = Sink(Lease())
        try:
            send(sink, devices)
        finally:
            sink.close()
        assert (waiting() == 0) is (telemetry is Handling.STORE)
        drain()
        outcomes[name] = [{**each, "dead": []} for each in tables(devices)]
    assert outcomes["stored"][0]["history"] and outcomes["stored"][0]["attributes"]
    both = outcomes["stored and queued"]
    assert differing(both, outcomes["queued"]) == {}
    assert set(differing(outcomes["stored"], both)) == {"alarms"}


def test_a_chain_that_is_saved_while_messages_come_in_loses_none_and_stores_none_twice(cast: Cast) -> None:
    devices = three(cast, "Racing")
    sink = Sink(Lease())
    sent: list[uuid.UUID] = []
    try:
        for turn, name in enumerate(["stored", "queued", "stored and queued", "stored", "queued"]):
            sink.prepare([])
            units, _, _ = sink.prepare(
                [
                    Uplink(
                        DeviceSession(each.tenant_id, each.pk, each.profile_id), UplinkKind.TELEMETRY, body, NOW, None
                    )
                    for each in devices
                    for body in (json.dumps({"ts": 1000 + turn, "values": {"t": turn}}).encode(),)
                ]
            )
            make_chain(cast.acme.pk, *WORLDS[name][:2])  # between planning and writing, as far as the sink can know
            assert not sink.commit(units)
            sent += [each.pk for each in devices]
    finally:
        sink.close()
    drain()
    assert [len(each["history"]) for each in tables(devices)] == [5, 5, 5]
