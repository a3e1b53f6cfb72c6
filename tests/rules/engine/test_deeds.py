"""Deeds of nodes in the real engine: once each, in order, seen by what follows, of the own tenant alone."""

import json
import uuid
from typing import Any

import pytest

from alarms.models import Alarm
from dashboards.services.dashboards import DashboardFields, assign_dashboard, create_dashboard
from devices.models import Device, EntityRelation
from devices.services.assets import AssetFields, create_asset
from devices.services.devices import DeviceFields, create_device
from devices.services.entity_views import ViewFields, create_view
from rules.engine.replies import RPC_CHANNEL
from rules.nodes.action.assign_to_customer import AssignToCustomer
from rules.nodes.action.copy_to_view import CopyToView
from rules.nodes.action.create_alarm import CreateAlarm
from rules.nodes.action.create_relation import CreateRelation
from rules.nodes.action.delete_attributes import DeleteAttributes
from rules.nodes.action.delete_relation import DeleteRelation
from rules.nodes.action.device_state import DeviceState
from rules.nodes.action.rpc_call_reply import RpcCallReply
from rules.nodes.action.save_attributes import SaveAttributes
from rules.nodes.action.save_time_series import SaveTimeSeries
from rules.nodes.action.unassign_from_customer import UnassignFromCustomer
from rules.nodes.enrichment.originator_fields import OriginatorFields
from rules.nodes.filter.message_type_filter import MessageTypeFilter
from telemetry import services
from telemetry.points import Scope
from tenants.models import AuditLog, Customer
from tests.cast import Cast
from tests.rules.engine.world import drain, make_chain, queue, refused, telemetry, waiting
from thingsboard.kernel import bus
from thingsboard.kernel.ids import EntityId, EntityType
from thingsboard.kernel.models import DeadLetter, OutboxRow
from thingsboard.kernel.outbox import Message

pytestmark = pytest.mark.django_db(transaction=True)

TELEMETRY = (MessageTypeFilter, {"messageTypes": ["POST_TELEMETRY_REQUEST"]})
ASSIGN = (AssignToCustomer, {"customerNamePattern": "$[to]", "createCustomerIfNotExists": True})


@pytest.fixture(autouse=True)
def _nothing_else(cast: Cast) -> None:
    """Making a device is an event too: here nothing but what a test queues is."""
    assert cast.device and cast.bistro and cast.foreign_device
    OutboxRow.objects.all().delete()


def run(cast: Cast, *messages: Message | bytes) -> list[Message]:
    """Through the chains; returns what nodes had queued meanwhile, of which a part may have been rolled back."""
    heard: list[Message] = []
    real = Message.row

    def row(self: Message) -> Any:
        if "ruleNodeId" in (self.metadata or {}):
            heard.append(self)
        return real(self)

    queue(
        cast.acme.pk,
        *[each if isinstance(each, Message) else telemetry(cast.device.pk, each) for each in messages],
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Message, "row", row)
        drain()
    assert waiting() == 0
    return heard


def dead() -> list[str]:
    return sorted(DeadLetter.objects.values_list("error", flat=True))


def owner(device: Device) -> str | None:
    found = Device.objects.select_related("customer").get(pk=device.pk).customer
    return None if found is None else found.title


def test_two_messages_of_one_batch_create_one_customer_of_whom_the_rules_hear(cast: Cast) -> None:
    make_chain(cast.acme.pk, [TELEMETRY, ASSIGN], [(0, 1, "True")])
    other = create_device(cast.acme.pk, DeviceFields(name="Other"))
    OutboxRow.objects.all().delete()
    logged = AuditLog.objects.count()
    heard = run(cast, b'{"to":"Cafe"}', telemetry(other.pk, b'{"to":"Cafe"}'))
    assert Customer.objects.filter(tenant=cast.acme, title="Cafe").count() == 1
    assert (owner(cast.device), owner(other)) == ("Cafe", "Cafe")
    assert [(each.type, each.originator.type) for each in heard] == [("ENTITY_CREATED", EntityType.CUSTOMER)]
    assert AuditLog.objects.count() == logged and dead() == []


def test_each_message_sees_what_the_one_before_it_did(cast: Cast) -> None:
    fields = (OriginatorFields, {"dataMapping": {"id": "id"}, "ignoreNullStrings": False})
    unassign = (UnassignFromCustomer, {})
    only = (MessageTypeFilter, {"messageTypes": ["Undo"]})
    make_chain(
        cast.acme.pk, [only, unassign, ASSIGN, fields, TELEMETRY], [(0, 1, "True"), (0, 4, "False"), (4, 2, "True")]
    )
    device = EntityId(EntityType.DEVICE, cast.device.pk)
    undo = Message("Undo", device, b"{}", {}, 1000)
    run(cast, b'{"to":"One"}', undo, b'{"to":"Two"}')
    assert owner(cast.device) == "Two"
    run(cast, undo, b'{"to":"One"}', undo)
    assert owner(cast.device) is None and dead() == []


def test_a_batch_that_is_spoiled_does_each_deed_once(cast: Cast) -> None:
    alarm = (CreateAlarm, {"useMessageAlarmData": True, "overwriteAlarmDetails": False})
    make_chain(cast.acme.pk, [TELEMETRY, ASSIGN, alarm], [(0, 1, "True"), (1, 2, "Success")])
    version = Device.objects.get(pk=cast.device.pk).version
    bodies = [b'{"to":"%s","type":"T%d","severity":"MAJOR"}' % (b"AB"[n % 2 :][:1], n) for n in range(6)]
    with refused("T3"):
        heard = run(cast, *bodies)
    # The database refuses one alarm: a batch as a whole, then its halves. Each message changed the owner once all the same.
    assert len(dead()) == 1 and "refused_for_a_test" in dead()[0]
    assert sorted(Alarm.objects.values_list("type", flat=True)) == ["T0", "T1", "T2", "T4", "T5"]
    assert owner(cast.device) == "B"
    assert Device.objects.get(pk=cast.device.pk).version == version + 6
    assert Customer.objects.filter(tenant=cast.acme, title__in=["A", "B"]).count() == 2
    created = [json.loads(each.data)["title"] for each in heard if each.originator.type is EntityType.CUSTOMER]
    assert created[-2:] == ["A", "B"]


def test_what_is_another_tenants_is_never_found(cast: Cast) -> None:
    named = {"entityType": "DEVICE", "entityNamePattern": "$[to]"}
    make_chain(
        cast.acme.pk,
        [TELEMETRY, (CreateRelation, named), (AssignToCustomer, {"customerNamePattern": "$[to]"})],
        [(0, 1, "True"), (0, 2, "True")],
    )
    create_device(cast.globex.pk, DeviceFields(name="Theirs"))
    Customer.objects.create(tenant=cast.globex, title="Theirs")
    queue(
        cast.acme.pk,
        telemetry(cast.device.pk, b'{"to":"Theirs"}'),
        telemetry(cast.foreign_device.pk, b'{"to":"Meter"}'),
    )
    drain()
    assert EntityRelation.objects.count() == 0 and owner(cast.device) is None
    first = DeadLetter.objects.get(originator_id=cast.device.pk).error
    assert first in {"Device with name 'Theirs' doesn't exist!", "Customer with title 'Theirs' doesn't exist!"}
    why = DeadLetter.objects.get(originator_id=cast.foreign_device.pk).error
    assert "non-existent device" in why or "doesn't exist" in why


def test_the_limits_of_the_tenant_hold_and_leave_nothing_behind(cast: Cast) -> None:
    profile = cast.acme.profile
    profile.profile_data = {"configuration": {"maxCustomers": 2}}
    profile.save()
    make_chain(cast.acme.pk, [TELEMETRY, ASSIGN], [(0, 1, "True")])
    run(cast, b'{"to":"Two"}', b'{"to":"Three"}', b'{"to":"Two"}', b'{"to":" "}')
    assert owner(cast.device) == "Two"
    assert set(Customer.objects.filter(tenant=cast.acme).values_list("title", flat=True)) == {"Bistro", "Two"}
    assert dead() == ["Customer title should be specified!", "The limit of 2 customers is reached!"]


def test_relations_are_replaced_found_again_and_deleted(cast: Cast) -> None:
    one, two = (create_asset(cast.acme.pk, AssetFields(name=name)) for name in ("One", "Two"))
    to = {"entityType": "ASSET", "entityNamePattern": "$[to]", "direction": "TO", "relationType": "Has"}
    make_chain(cast.acme.pk, [TELEMETRY, (CreateRelation, {**to, "removeCurrentRelations": True})], [(0, 1, "True")])
    OutboxRow.objects.all().delete()
    assert run(cast, b'{"to":"One"}', b'{"to":"Two"}', b'{"to":"Two"}') == []
    assert [(each.from_id, each.type, each.to_id) for each in EntityRelation.objects.all()] == [
        (two.pk, "Has", cast.device.pk)
    ]
    make_chain(cast.acme.pk, [TELEMETRY, (CreateRelation, to)], [(0, 1, "True")])
    run(cast, b'{"to":"One"}')
    make_chain(cast.acme.pk, [TELEMETRY, (DeleteRelation, {**to, "deleteForSingleEntity": True})], [(0, 1, "True")])
    run(cast, b'{"to":"Two"}', b'{"to":"Two"}')
    assert [each.from_id for each in EntityRelation.objects.all()] == [one.pk]
    make_chain(
        cast.acme.pk, [TELEMETRY, (DeleteRelation, {"direction": "TO", "relationType": "Has"})], [(0, 1, "True")]
    )
    run(cast, b"{}", b"{}")
    assert EntityRelation.objects.count() == 0 and dead() == []


def test_attributes_that_are_saved_and_deleted_keep_the_order_of_their_messages(cast: Cast) -> None:
    posts = (MessageTypeFilter, {"messageTypes": ["POST_ATTRIBUTES_REQUEST"]})
    only = (MessageTypeFilter, {"messageTypes": ["Forget"]})
    forget = (DeleteAttributes, {"keys": ["a", "b"], "sendAttributesDeletedNotification": True})
    save = (SaveAttributes, {"updateAttributesOnlyOnValueChange": False})
    make_chain(cast.acme.pk, [only, forget, posts, save], [(0, 1, "True"), (0, 2, "False"), (2, 3, "True")])
    device = EntityId(EntityType.DEVICE, cast.device.pk)

    def post(body: bytes) -> Message:
        return Message("POST_ATTRIBUTES_REQUEST", device, body, {"deviceName": "Meter"}, 1000)

    gone = Message("Forget", device, b"{}", {}, 1000)
    heard = run(cast, post(b'{"a":1,"b":1,"c":1}'), gone, post(b'{"b":2}'))
    assert {each.key: each.value for each in services.attributes(device.id, Scope.SERVER, ["a", "b", "c"])} == {
        "b": 2,
        "c": 1,
    }
    assert [(each.type, each.data, (each.metadata or {})["scope"]) for each in heard] == [
        ("ATTRIBUTES_DELETED", b'{"attributes":["a","b"]}', "SERVER_SCOPE")
    ]
    run(cast, post(b'{"b":3}'), gone)
    assert services.attributes(device.id, Scope.SERVER, ["a", "b"]) == [] and dead() == []


def test_views_get_copies_and_the_rules_go_on_with_them(cast: Cast) -> None:
    keys = {"timeseries": [], "attributes": {"cs": ["a"], "ss": ["s"], "sh": []}}
    entity = EntityId(EntityType.DEVICE, cast.device.pk)
    view = create_view(cast.acme.pk, ViewFields(name="V", type="t", entity=entity, keys=keys))
    copy, fields = (CopyToView, {}), (SaveAttributes, {"scope": "SHARED_SCOPE"})
    types = (MessageTypeFilter, {"messageTypes": ["POST_ATTRIBUTES_REQUEST", "ATTRIBUTES_DELETED"]})
    make_chain(cast.acme.pk, [types, copy, fields], [(0, 1, "True"), (1, 2, "Success")])
    OutboxRow.objects.all().delete()
    run(cast, Message("POST_ATTRIBUTES_REQUEST", entity, b'{"a":1,"b":2}', {"deviceName": "Meter"}, 1000))
    found = {(each.scope, each.key): each.value for each in services.attributes(view.pk)}
    assert found == {(Scope.CLIENT, "a"): 1, (Scope.SHARED, "a"): 1, (Scope.SHARED, "b"): 2}
    run(cast, Message("ATTRIBUTES_DELETED", entity, b'{"attributes":["a","b"]}', {"scope": "CLIENT_SCOPE"}, 1000))
    assert Scope.CLIENT not in {each.scope for each in services.attributes(view.pk)}


def test_a_devices_state_is_that_of_the_transports_and_not_said_too_often(cast: Cast) -> None:
    now = services.now_ms()
    chain = [TELEMETRY, (DeviceState, {}), (SaveTimeSeries, {})]
    make_chain(cast.acme.pk, chain, [(0, 1, "True"), (1, 2, "Rate limited")])
    run(cast, *[telemetry(cast.device.pk, b'{"n":%d}' % number, now - 10 + number) for number in range(3)])
    state = {each.key: each.value for each in services.attributes(cast.device.pk, Scope.SERVER)}
    assert (state["active"], state["lastActivityTime"]) == (True, now - 10)
    assert services.latest(cast.device.pk)["n"].value == 2
    make_chain(cast.acme.pk, [TELEMETRY, (DeviceState, {"event": "INACTIVITY_EVENT"})], [(0, 1, "True")])
    run(cast, telemetry(cast.device.pk, b"{}", now - 5))
    state = {each.key: each.value for each in services.attributes(cast.device.pk, Scope.SERVER)}
    assert (state["active"], state["inactivityAlarmTime"]) == (False, now - 5)
    run(cast, telemetry(cast.foreign_device.pk, b"{}", now))
    assert dead() == [f"Device with id [{cast.foreign_device.pk}] is not found"]


def test_a_dashboard_may_be_several_customers(cast: Cast) -> None:
    dashboard = create_dashboard(cast.acme.pk, DashboardFields(title="D"))
    assign_dashboard(dashboard, cast.bistro)
    only = (MessageTypeFilter, {"messageTypes": ["Undo"]})
    unassign = (UnassignFromCustomer, {"customerNamePattern": "$[to]"})
    rest = (MessageTypeFilter, {"messageTypes": ["Do"]})
    make_chain(cast.acme.pk, [only, unassign, rest, ASSIGN], [(0, 1, "True"), (0, 2, "False"), (2, 3, "True")])
    entity = EntityId(EntityType.DASHBOARD, dashboard.pk)

    def say(kind: str, to: str) -> Message:
        return Message(kind, entity, json.dumps({"to": to}).encode(), {}, 1000)

    OutboxRow.objects.all().delete()
    run(cast, say("Do", "Cafe"), say("Do", "Cafe"), say("Do", "Bar"), say("Undo", "Bistro"), say("Undo", "Bistro"))
    assert sorted(dashboard.customers.values_list("title", flat=True)) == ["Bar", "Cafe"]
    run(cast, say("Undo", "Nobody"))
    assert dead() == ["Customer with title 'Nobody' doesn't exist!"]


def test_answers_go_out_with_the_commit_and_say_whose_they_are(cast: Cast) -> None:
    session, strange = uuid.uuid4(), ("org.example.Strange", {})
    who = {"serviceId": "mqtt-1", "sessionId": str(session), "requestId": "7"}
    device = EntityId(EntityType.DEVICE, cast.device.pk)
    with bus.client().pubsub() as heard:
        heard.subscribe(f"{bus.PREFIX}{RPC_CHANNEL}mqtt-1")
        assert heard.get_message(timeout=5)
        make_chain(cast.acme.pk, [(RpcCallReply, {}), strange], [(0, 1, "Success")])
        queue(cast.acme.pk, Message("TO_SERVER_RPC_REQUEST", device, b'"lost"', who), name="SequentialByOriginator")
        drain()
        assert waiting() == 1  # to be tried again: what it answered is undone
        OutboxRow.objects.all().delete()
        make_chain(cast.acme.pk, [(RpcCallReply, {})])
        run(cast, Message("TO_SERVER_RPC_REQUEST", device, b'{"time":1}', who))
        message = heard.get_message(timeout=5)
    assert message and json.loads(message["data"]) == {
        "sessionId": str(session),
        "requestId": 7,
        "deviceId": str(cast.device.pk),
        "tenantId": str(cast.acme.pk),
        "data": '{"time":1}',
    }
