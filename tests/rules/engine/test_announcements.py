"""What chains tell the rules besides what goes on behind their nodes, and what entities are to them."""

import json
import uuid
from typing import Any

import psycopg
import pytest
from django.db import connection

from alarms.models import Alarm
from devices.models import Device
from devices.services.assets import AssetFields, create_asset
from devices.services.devices import DeviceFields, create_device, delete_device
from rules.engine.alarms import BatchAlarms
from rules.engine.entities import Entities
from rules.nodes.action.clear_alarm import ClearAlarm
from rules.nodes.action.create_alarm import CreateAlarm
from rules.nodes.action.save_attributes import SaveAttributes
from rules.nodes.filter.message_type_filter import MessageTypeFilter
from tests.cast import Cast
from tests.rules.engine.world import drain, make_chain, queue, telemetry, waiting
from thingsboard.kernel.ids import EntityId, EntityType
from thingsboard.kernel.models import DeadLetter, OutboxFlow, OutboxRow
from thingsboard.kernel.outbox import Message

pytestmark = pytest.mark.django_db(transaction=True)

TELEMETRY = (MessageTypeFilter, {"messageTypes": ["POST_TELEMETRY_REQUEST", "POST_ATTRIBUTES_REQUEST"]})


@pytest.fixture(autouse=True)
def _nothing_else(cast: Cast) -> None:
    """Making a device is an event too: here nothing but what a test queues is."""
    assert cast.device
    OutboxRow.objects.all().delete()


def heard(monkeypatch: pytest.MonkeyPatch) -> list[Message]:
    """What nodes announce, as it is queued."""
    found: list[Message] = []
    real = Message.row

    def row(self: Message) -> Any:
        if "ruleNodeId" in (self.metadata or {}):
            found.append(self)
        return real(self)

    monkeypatch.setattr(Message, "row", row)
    return found


def say(cast: Cast, *bodies: bytes, at: int = 1000) -> None:
    queue(cast.acme.pk, *[telemetry(cast.device.pk, body, at + number) for number, body in enumerate(bodies)])
    drain()
    assert waiting() == 0


def test_a_new_alarm_another_severity_and_its_end_are_told_and_an_update_is_not(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    hot = {"alarmType": "Hot", "dynamicSeverity": True, "severity": "$[severity]"}
    make_chain(cast.acme.pk, [TELEMETRY, (CreateAlarm, hot), (ClearAlarm, {"alarmType": "Hot"})], [(0, 1, "True")])
    found = heard(monkeypatch)
    say(cast, b'{"severity":"MINOR"}', b'{"severity":"MINOR"}')
    say(cast, b'{"severity":"MINOR"}', b'{"severity":"MAJOR"}')
    make_chain(cast.acme.pk, [TELEMETRY, (ClearAlarm, {"alarmType": "Hot"})], [(0, 1, "True")])
    say(cast, b"{}", b"{}")
    assert [each.type for each in found] == ["ENTITY_CREATED", "ENTITY_UPDATED", "ALARM_CLEAR"]
    assert {each.originator for each in found} == {EntityId(EntityType.DEVICE, cast.device.pk)}
    bodies = [json.loads(each.data) for each in found]
    assert [(each["severity"], each["cleared"]) for each in bodies] == [
        ("MINOR", False),
        ("MAJOR", False),
        ("MAJOR", True),
    ]
    assert {each["id"]["id"] for each in bodies} == {str(Alarm.objects.get().pk)}


def test_a_chain_that_takes_every_message_comes_to_an_end(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    make_chain(
        cast.acme.pk,
        [(CreateAlarm, {"alarmType": "Hot"}), (ClearAlarm, {"alarmType": "Hot"})],
        [(0, 1, "Created"), (0, 1, "Updated")],
    )
    found = heard(monkeypatch)
    say(cast, b"{}")
    assert [each.type for each in found] == ["ENTITY_CREATED", "ALARM_CLEAR"]
    assert Alarm.objects.filter(cleared=True).count() == 3  # of the message, and of each of the two


def test_what_a_node_announces_goes_to_the_queue_of_the_profile(cast: Cast) -> None:
    profile = cast.device.profile
    type(profile).objects.filter(pk=profile.pk).update(default_queue_name="HighPriority")
    announced = {"scope": "SERVER_SCOPE", "sendAttributesUpdatedNotification": True}
    make_chain(cast.acme.pk, [TELEMETRY, (SaveAttributes, announced)], [(0, 1, "True")])
    OutboxFlow.objects.all().delete()
    device = EntityId(EntityType.DEVICE, cast.device.pk)
    queue(cast.acme.pk, Message("POST_ATTRIBUTES_REQUEST", device, b'{"limit":1}', {}, 5))
    drain()
    assert set(OutboxFlow.objects.values_list("queue", flat=True)) == {"Main", "HighPriority"}


def test_no_alarm_is_raised_of_a_device_that_is_gone(cast: Cast) -> None:
    make_chain(cast.acme.pk, [TELEMETRY, (CreateAlarm, {"alarmType": "Hot"})], [(0, 1, "True")])
    gone = create_device(cast.acme.pk, DeviceFields(name="Gone"))
    OutboxRow.objects.all().delete()
    queue(cast.acme.pk, telemetry(gone.pk, b"{}"), telemetry(cast.device.pk, b"{}"))
    delete_device(gone)
    drain()
    assert list(Alarm.objects.values_list("originator_id", flat=True)) == [cast.device.pk]
    (letter,) = DeadLetter.objects.filter(type="POST_TELEMETRY_REQUEST")
    assert "originator of the alarm was not found" in letter.error


def test_no_alarm_is_raised_of_a_device_that_goes_while_its_batch_runs(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_chain(cast.acme.pk, [TELEMETRY, (CreateAlarm, {"alarmType": "Hot"})], [(0, 1, "True")])
    real = BatchAlarms.flush
    dsn = connection.get_connection_params()

    def flush(self: BatchAlarms) -> None:
        monkeypatch.undo()
        with psycopg.connect(
            host=dsn["host"], port=dsn.get("port"), user=dsn["user"], password=dsn.get("password"), dbname=dsn["dbname"]
        ) as other:
            other.execute("DELETE FROM devices_devicecredentials WHERE device_id = %s", [cast.device.pk])
            other.execute("DELETE FROM devices_device WHERE id = %s", [cast.device.pk])
        real(self)

    monkeypatch.setattr(BatchAlarms, "flush", flush)
    queue(cast.acme.pk, telemetry(cast.device.pk, b"{}"))
    drain()
    assert not Device.objects.filter(pk=cast.device.pk).exists() and not Alarm.objects.exists()
    assert "not found" in DeadLetter.objects.get(type="POST_TELEMETRY_REQUEST").error


def fields(cast: Cast, entity: EntityId) -> dict[str, str]:
    connection.ensure_connection()
    return dict(Entities(connection.connection, cast.acme.pk).describe([entity])[entity].fields)


def test_a_device_has_all_its_fields_as_texts(cast: Cast) -> None:
    device = create_device(
        cast.acme.pk, DeviceFields(name="Pump", additional_info={"description": "Cellar", "gateway": False})
    )
    found = fields(cast, EntityId(EntityType.DEVICE, device.pk))
    assert json.loads(found["additionalInfo"]) == {"description": "Cellar", "gateway": False}
    assert (found["name"], found["label"], found["firmwareId"]) == ("Pump", "null", "null")
    assert (found["id"], found["tenantId"]) == (str(device.pk), str(cast.acme.pk))
    assert found["deviceProfileId"] == str(device.profile_id) and found["type"] == device.profile.name
    assert uuid.UUID(found["customerId"]).hex == "138140001dd211b28080808080808080"
    assert found["createdTime"] == str(device.created_time) and found["version"] == str(device.version)


def test_an_asset_has_its_fields_as_texts(cast: Cast) -> None:
    asset = create_asset(cast.acme.pk, AssetFields(name="Hall", additional_info={"a": [1]}))
    found = fields(cast, EntityId(EntityType.ASSET, asset.pk))
    assert (found["name"], found["additionalInfo"], found["label"]) == ("Hall", '{"a":[1]}', "null")
    assert "email" not in found
