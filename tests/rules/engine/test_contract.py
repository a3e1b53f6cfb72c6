"""However messages are batched, and wherever ingest writes them, the tables say the same afterwards."""

import random
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from django.db import connection, transaction

from devices.models import Device
from devices.services.devices import DeviceFields, create_device
from rules.engine import fairness
from rules.engine.drain import Drain
from rules.nodes.action.clear_alarm import ClearAlarm
from rules.nodes.action.create_alarm import CreateAlarm
from rules.nodes.action.gps_geofencing_events import GpsGeofencingEvents
from rules.nodes.action.math_function import MathFunction
from rules.nodes.action.save_attributes import SaveAttributes
from rules.nodes.action.save_time_series import SaveTimeSeries
from rules.nodes.enrichment.calculate_delta import CalculateDelta
from rules.nodes.enrichment.originator_attributes import OriginatorAttributes
from rules.nodes.enrichment.originator_telemetry import OriginatorTelemetry
from rules.nodes.filter.check_fields_presence import CheckFieldsPresence
from rules.nodes.filter.device_profile_switch import DeviceProfileSwitch
from rules.nodes.filter.message_type_filter import MessageTypeFilter
from rules.nodes.filter.message_type_switch import MessageTypeSwitch
from rules.nodes.filter.script import ScriptFilter
from rules.nodes.transformation.script import ScriptTransformation
from tests.cast import Cast
from tests.rules.engine.world import drain, make_chain, telemetry, waiting
from thingsboard.kernel import outbox, time
from thingsboard.kernel.ids import EntityId, EntityType
from thingsboard.kernel.models import OutboxRow
from thingsboard.kernel.outbox import Message

pytestmark = pytest.mark.django_db(transaction=True)

VALUES = "k.name, v.ts, v.bool_v, v.long_v, v.dbl_v, v.str_v, v.json_v"
READ = {"clientAttributeNames": ["limit"], "latestTsKeyNames": ["hot"], "tellFailureIfAbsent": False}
# What is counted, and the way through a perimeter: each message sees what the one before has left.
TOTAL = {
    "arguments": [
        {"name": "x", "type": "ATTRIBUTE", "key": "total", "defaultValue": 0},
        {"name": "n", "type": "MESSAGE_BODY", "key": "n"},
    ],
    "customFunction": "x + n",
    "result": {"type": "ATTRIBUTE", "key": "total", "resultValuePrecision": 0, "addToBody": True},
}
PLACE = {
    "latitudeKeyName": "total",
    "longitudeKeyName": "n",
    "fetchPerimeterInfoFromMessageMetadata": False,
    "polygonsDefinition": "[[0, 0], [2000, 100]]",
}
TABLES = {
    "history": f"SELECT {VALUES} FROM ts_kv_all v JOIN ts_key k ON k.id = v.key_id WHERE v.entity_id = %s ORDER BY 1, 2",
    "latest": f"SELECT {VALUES} FROM ts_latest v JOIN ts_key k ON k.id = v.key_id WHERE v.entity_id = %s ORDER BY 1, 2",
    "attributes": f"SELECT v.scope, {VALUES.replace('v.ts', 'v.last_update_ts')} FROM attribute_kv v "
    "JOIN ts_key k ON k.id = v.key_id WHERE v.entity_id = %s ORDER BY 1, 2",
    "alarms": "SELECT type, severity, cleared, start_ts, end_ts, clear_ts, version, details FROM alarms_alarm "
    "WHERE originator_id = %s ORDER BY start_ts, type, clear_ts, severity, version",
    "dead": "SELECT type, error FROM kernel_deadletter WHERE originator_id = %s ORDER BY id",
}


@pytest.fixture(autouse=True)
def _still() -> Iterator[None]:
    """The clock stands still: how long something takes must not be what differs."""
    time.set_source(lambda: 1_800_000_000.0)
    yield
    time.set_source(None)


def three(cast: Cast, names: str) -> list[Device]:
    return [create_device(cast.acme.pk, DeviceFields(name=f"{names} {number}")) for number in range(3)]


def mixed(devices: Sequence[Device], count: int, seed: int = 7) -> list[Message]:
    """Telemetry with and without fields, attributes, and what no node takes."""
    dice = random.Random(seed)
    messages = []
    for number in range(count):
        device = devices[dice.randrange(3)].pk
        entity = EntityId(EntityType.DEVICE, device)
        kind = dice.randrange(8)
        if kind < 4:
            body = b'{"hot":%d,"n":%d}' % (dice.randrange(5), number)
        elif kind < 6:
            body = b'{"cold":true,"n":%d}' % number
        elif kind == 6:
            body = b'{"limit":%d}' % dice.randrange(3)
            messages.append(Message("POST_ATTRIBUTES_REQUEST", entity, body, None, 1000 + number))
            continue
        else:
            body = b'"no object"'
        messages.append(telemetry(device, body, 1000 + dice.randrange(count)))
    return messages


# Counts how often the alarm was raised, in the alarm itself; some messages make it fail.
COUNT = """var seen = metadata.prevAlarmDetails ? JSON.parse(metadata.prevAlarmDetails).seen : 0;
if (msg.n % 17 === 3) throw new Error("no alarm of " + msg.n);
return {seen: seen + 1};"""
SEVERAL = "return msg.hot > 2 ? [{metadata: {...metadata, part: 1}}, {msg: {...msg, hot: 1}}] : {};"


def mixing(tenant_id: uuid.UUID) -> None:
    """What is saved is read again, alarms come and go and count, scripts decide and multiply, and bad messages fail."""
    make_chain(
        tenant_id,
        [
            (MessageTypeSwitch, {}),
            (SaveTimeSeries, {}),
            (SaveAttributes, {"scope": "CLIENT_SCOPE"}),
            (OriginatorAttributes, READ),
            (CheckFieldsPresence, {"messageNames": ["hot"]}),
            (CreateAlarm, {"alarmType": "Hot ${hot}", "scriptLang": "JS", "alarmDetailsBuildJs": COUNT}),
            (ClearAlarm, {"alarmType": "Hot ${hot}"}),
            (DeviceProfileSwitch, {}),
            (MessageTypeFilter, {"messageTypes": ["ALARM"]}),
            (CreateAlarm, {"alarmType": "Alarms of ${deviceName}", "severity": "MINOR"}),
            (ScriptFilter, {"scriptLang": "TBEL", "tbelScript": "return msg.cold == null || msg.n % 5 > 0;"}),
            (ScriptTransformation, {"scriptLang": "JS", "jsScript": SEVERAL}),
            (MathFunction, TOTAL),
            (GpsGeofencingEvents, PLACE),
            (SaveTimeSeries, {}),
        ],
        [
            (0, 1, "Post telemetry"), (0, 2, "Post attributes"), (1, 10, "Success"), (10, 11, "True"), (11, 3, "Success"),
            (3, 4, "Success"), (4, 5, "True"),
            (4, 6, "False"), (5, 7, "Created"), (5, 7, "Updated"), (6, 7, "Cleared"), (7, 8, "default"), (8, 9, "True"),
            (11, 12, "Success"), (12, 13, "Success"), (13, 14, "Entered"), (13, 14, "Left"),
        ],
    )  # fmt: skip


def metering(tenant_id: uuid.UUID) -> None:
    """Differences to what the node saw before and to what is stored, and what history says of the batch's own points."""
    window = {
        "startInterval": 30_000, "startIntervalTimeUnit": "DAYS", "endInterval": 0,
        "fetchMode": "ALL", "orderBy": "DESC", "limit": 2, "latestTsKeyNames": ["n"],
    }  # fmt: skip
    free = {"tellFailureIfDeltaIsNegative": False, "inputValueKey": "n"}
    make_chain(
        tenant_id,
        [
            (MessageTypeSwitch, {}),
            (CalculateDelta, {**free, "outputValueKey": "seen"}),
            (CalculateDelta, {**free, "outputValueKey": "stored", "useCache": False}),
            (OriginatorTelemetry, window),
            (SaveTimeSeries, {}),
            (CalculateDelta, {**free, "outputValueKey": "behind"}),
            (CreateAlarm, {"alarmType": "$[seen], $[stored] and $[behind] after ${n}"}),
        ],
        [
            (0, 1, "Post telemetry"), (1, 2, "Success"), (2, 3, "Success"), (3, 4, "Success"), (4, 5, "Success"),
            (5, 6, "Success"),
        ],
    )  # fmt: skip


def alarming(tenant_id: uuid.UUID) -> None:
    """Nobody but one node touches alarms, whose messages reach it by ways of different lengths; they are new, active and, where
    their clocks are ahead, not begun yet.
    """
    make_chain(
        tenant_id,
        [
            (MessageTypeSwitch, {}),
            (CheckFieldsPresence, {"messageNames": ["hot"]}),
            (SaveTimeSeries, {}),
            (CreateAlarm, {"alarmType": "Load", "severity": "MINOR"}),
            (SaveAttributes, {"scope": "SERVER_SCOPE", "notifyDevice": False}),
        ],
        [
            (0, 1, "Post telemetry"), (1, 3, "True"), (1, 2, "False"), (2, 3, "Success"), (0, 4, "Post attributes"),
            (4, 3, "Success"),
        ],
    )  # fmt: skip


def tables(devices: Sequence[Device]) -> list[dict[str, list[Any]]]:
    """What is stored of each device."""
    found = []
    with connection.cursor() as cursor:
        for device in devices:
            rows = {}
            for name, sql in TABLES.items():
                cursor.execute(sql, [device.pk])
                rows[name] = [
                    tuple(str(each).replace(device.name[:-2], "") for each in row) for row in cursor.fetchall()
                ]
            found.append(rows)
    return found


def run(tenant_id: uuid.UUID, messages: Sequence[Message], sizes: Callable[[], int]) -> None:
    """Queue the messages in batches of these sizes, and work them off row by row."""
    OutboxRow.objects.all().delete()
    start = 0
    while start < len(messages):
        size = sizes()
        with transaction.atomic():
            outbox.append_many(tenant_id, messages[start : start + size])
        start += size
    drain()
    assert waiting() == 0


@pytest.mark.parametrize(
    ("chain", "count", "wanted"),
    [
        (mixing, 150, set(TABLES)),
        (metering, 60, {"history", "latest", "alarms"}),
        (alarming, 150, {"history", "alarms", "attributes"}),
        pytest.param(mixing, 1000, set(TABLES), marks=pytest.mark.slow),
    ],
)
def test_one_by_one_and_as_one_batch_are_the_same(
    cast: Cast,
    monkeypatch: pytest.MonkeyPatch,
    chain: Callable[[uuid.UUID], None],
    count: int,
    wanted: set[str],
) -> None:
    chain(cast.acme.pk)
    dice = random.Random(3)
    outcomes = []
    for name, sizes, most in (
        ("Single", lambda: 1, 1),
        ("Batch", lambda: count, 2000),
        ("Some", lambda: dice.randrange(1, 40), 30),
    ):
        devices = three(cast, name)
        monkeypatch.setattr(fairness.Turns, "size", lambda self, flow, most=most: most)
        run(cast.acme.pk, mixed(devices, count), sizes)
        outcomes.append(tables(devices))
    assert all(device[table] for device in outcomes[0] for table in wanted)
    assert differing(outcomes[1], outcomes[0]) == {}
    assert differing(outcomes[2], outcomes[0]) == {}


def test_the_messages_of_a_device_are_processed_in_the_order_in_which_it_sent_them(cast: Cast) -> None:
    make_chain(cast.acme.pk, [(SaveAttributes, {"scope": "CLIENT_SCOPE"})])
    OutboxRow.objects.all().delete()
    entity = EntityId(EntityType.DEVICE, cast.device.pk)
    worker = Drain()
    for number in range(60):
        with transaction.atomic():
            outbox.append(cast.acme.pk, Message("POST_ATTRIBUTES_REQUEST", entity, b'{"n":%d}' % number, None, number))
        if number % 13 == 0:
            drain(worker)
    drain(worker)
    worker.close()
    (row,) = tables([cast.device])[0]["attributes"][:1]
    assert (row[2], row[4]) == ("59", "59")


def differing(one: list[dict[str, list[Any]]], other: list[dict[str, list[Any]]]) -> dict[str, list[Any]]:
    """The rows that only one of two worlds has, by table."""
    found: dict[str, list[Any]] = {}
    for ours, theirs in zip(one, other, strict=True):
        for table in TABLES:
            if ours[table] != theirs[table]:
                found[table] = [
                    row for row in [*ours[table], *theirs[table]] if (row in ours[table]) != (row in theirs[table])
                ]
    return found
