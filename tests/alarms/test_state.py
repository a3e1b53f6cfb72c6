"""The rules of alarms, by themselves: they need no database."""

import uuid
from typing import Any

import pytest

from alarms.services import state
from alarms.services.bulk import AlarmRequest, AlarmState, acknowledged, alarm_json, assigned, cleared, raised
from thingsboard.kernel.errors import BadRequest
from thingsboard.kernel.ids import EntityId, EntityType

DEVICE = EntityId(EntityType.DEVICE, uuid.uuid4())
REQUEST = AlarmRequest(
    tenant_id=uuid.uuid4(), originator=DEVICE, type="Hot", severity="MAJOR", details={"t": 90}, start_ts=5, end_ts=7
)


def active(**more: Any) -> AlarmState:
    return raised(None, REQUEST, 10).state._replace(**more)


def test_a_new_alarm_has_what_was_asked_for_and_nothing_has_happened_to_it() -> None:
    made = raised(None, REQUEST, 10)
    assert (made.created, made.updated, made.severity_changed, made.old_severity) == (True, False, False, None)
    alarm = made.state
    assert (alarm.start_ts, alarm.end_ts, alarm.created_time, alarm.version) == (5, 7, 10, 1)
    assert (alarm.acknowledged, alarm.cleared, alarm.ack_ts, alarm.clear_ts, alarm.assign_ts) == (False, False, 0, 0, 0)
    without_times = raised(None, REQUEST._replace(start_ts=0, end_ts=0), 10).state
    assert (without_times.start_ts, without_times.end_ts) == (10, 10)
    assert raised(None, REQUEST._replace(end_ts=0), 10).state.end_ts == 5


def test_an_active_alarm_is_updated_and_keeps_its_start_and_who_saw_it() -> None:
    seen = acknowledged(active(), 11)
    made = raised(seen, REQUEST._replace(severity="CRITICAL", details=None, propagate=True, start_ts=9, end_ts=9), 20)
    assert (made.created, made.updated, made.severity_changed, made.old_severity) == (False, True, True, "MAJOR")
    alarm = made.state
    assert (alarm.id, alarm.start_ts, alarm.end_ts, alarm.ack_ts) == (seen.id, 5, 20, 11)
    assert (alarm.severity, alarm.details, alarm.propagate, alarm.acknowledged) == ("CRITICAL", None, True, True)
    again = raised(alarm, REQUEST._replace(severity="CRITICAL", details=None, propagate=True), 20)
    assert (again.updated, again.state) == (False, alarm)


def test_a_cleared_alarm_is_not_raised_again_but_followed_by_another() -> None:
    over = cleared(active(), None, 30)
    assert (over.cleared, over.clear_ts, over.details) == (True, 30, {"t": 90})
    made = raised(over, REQUEST, 40)
    assert made.created and made.state.id != over.id


def test_what_is_so_already_stays_as_it_is() -> None:
    user = uuid.uuid4()
    for rule in (
        lambda alarm: cleared(alarm, {"new": 1}, 50),
        lambda alarm: acknowledged(alarm, 50),
        lambda alarm: assigned(alarm, user, 50),
    ):
        once = rule(active())
        assert rule(once) is once
    assert cleared(active(), {"new": 1}, 50).details == {"new": 1}
    assert assigned(assigned(active(), user, 50), None, 60).assign_ts == 60


def test_the_json_is_thingsboards_in_its_order() -> None:
    alarm = active(relation_types=("Contains",))
    told = alarm_json(alarm)
    assert list(told) == [
        "id", "createdTime", "tenantId", "customerId", "type", "originator", "severity", "acknowledged", "cleared",
        "assigneeId", "startTs", "endTs", "ackTs", "clearTs", "assignTs", "propagate", "propagateToOwner",
        "propagateToTenant", "propagateRelationTypes", "name", "status", "details",
    ]  # fmt: skip
    assert told["id"] == {"entityType": "ALARM", "id": str(alarm.id)}
    assert (told["customerId"], told["assigneeId"], told["name"]) == (None, None, "Hot")
    assert told["propagateRelationTypes"] == ["Contains"]
    statuses = [alarm_json(active(cleared=c, acknowledged=a))["status"] for c in (False, True) for a in (False, True)]
    assert statuses == ["ACTIVE_UNACK", "ACTIVE_ACK", "CLEARED_UNACK", "CLEARED_ACK"]


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"type": " "}, "type should be specified"),
        ({"type": "t" * 256}, "length of type"),
        ({"type": "a\0b"}, "NUL"),
        ({"type": "a\ud800b"}, "surrogates"),
        ({"severity": "HIGH"}, "expected one of CRITICAL"),
        ({"start_ts": 9, "end_ts": 8}, "can't be greater"),
        ({"start_ts": -1}, "startTs"),
        ({"end_ts": 2**63}, "endTs"),
        ({"details": "x" * state.LARGEST_DETAILS}, "bytes of JSON"),
        ({"details": {"a": "\0"}}, "NUL"),
        ({"details": ["\ud800"]}, "valid texts"),
        ({"relation_types": ("r",) * 101}, "at most 100"),
        ({"relation_types": ("r" * 256,)}, "255 characters"),
    ],
)
def test_what_no_alarm_can_be_is_refused_in_words(wrong: dict[str, Any], sentence: str) -> None:
    for current in (None, active()):
        with pytest.raises(BadRequest, match=sentence):
            raised(current, REQUEST._replace(**wrong), 10)


def test_details_that_cannot_be_stored_do_not_clear_an_alarm() -> None:
    with pytest.raises(BadRequest, match="NUL"):
        cleared(active(), {"a": "\0"}, 10)
    assert raised(None, REQUEST._replace(type="Überhitzt 🔥", details=[None, {"a": 2**60}]), 10).created
