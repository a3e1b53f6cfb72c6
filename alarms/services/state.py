"""What an alarm is and what becomes of it: pure rules, by which people and rule chains alike change alarms.

They are ThingsBoard's (compat/data_model.md 7; compat/rule_nodes.tsv, "create alarm" and "clear alarm"). Times are ms.
"""

import uuid
from functools import lru_cache
from typing import Any, Final, NamedTuple

from alarms.models import AlarmSeverity, status_of
from thingsboard.kernel.encoding import json_bytes
from thingsboard.kernel.errors import BadRequest
from thingsboard.kernel.ids import EntityId, EntityType, new_id

LONGEST_TYPE: Final = 255  # characters
LARGEST_DETAILS: Final = 65_536  # bytes of JSON
MOST_RELATION_TYPES: Final = 100
LONGEST_RELATION_TYPE: Final = 255  # characters
LAST_MS: Final = 2**63 - 1

_SEVERITIES: Final = frozenset(AlarmSeverity.values)


class AlarmState(NamedTuple):
    """All columns of an alarm. `details` is any JSON value, None where there are none; nobody changes it in place."""

    id: uuid.UUID
    created_time: int
    version: int
    tenant_id: uuid.UUID
    customer_id: uuid.UUID | None
    originator: EntityId
    type: str
    severity: str
    acknowledged: bool
    cleared: bool
    start_ts: int
    end_ts: int
    ack_ts: int
    clear_ts: int
    assign_ts: int
    assignee_id: uuid.UUID | None
    details: Any
    propagate: bool
    propagate_to_owner: bool
    propagate_to_tenant: bool
    relation_types: tuple[str, ...]

    @property
    def key(self) -> tuple[uuid.UUID, str]:
        """What an active alarm is found by: its originator's id and its type."""
        return self.originator.id, self.type


class AlarmRequest(NamedTuple):
    """What somebody found to be wrong. `start_ts` and `end_ts` in ms; 0: whoever asks does not know."""

    tenant_id: uuid.UUID
    originator: EntityId
    type: str
    severity: str
    customer_id: uuid.UUID | None = None
    details: Any = None
    start_ts: int = 0
    end_ts: int = 0
    propagate: bool = False
    propagate_to_owner: bool = False
    propagate_to_tenant: bool = False
    relation_types: tuple[str, ...] = ()


class Raised(NamedTuple):
    """What became of a request. `updated`: there was an active alarm, which is another now; `old_severity` if that changed."""

    state: AlarmState
    created: bool
    updated: bool
    severity_changed: bool
    old_severity: str | None


def raised(current: AlarmState | None, request: AlarmRequest, now_ms: int) -> Raised:
    """Create an alarm or, where `current` is an active one of the same originator and type, update that: its end is now,
    or its start, where that is later; its start stays, severity, details and propagation are the request's (what the node
    "create alarm" does).

    Raises BadRequest with a sentence for what no alarm can be.
    """
    check(request)
    if current is None or current.cleared:
        start = request.start_ts or now_ms
        return Raised(_new(request, start, request.end_ts or start, now_ms), True, False, False, None)
    return _revised(current, request, current.start_ts, max(current.start_ts, now_ms))


def revised(current: AlarmState, request: AlarmRequest, now_ms: int) -> Raised:
    """What a person says of an alarm that is there: as `raised`, but its start and end may be said, too. Whose it is, what
    it is about and its type stay. Raises BadRequest.
    """
    check(request)
    start = request.start_ts or current.start_ts
    end = request.end_ts or max(request.start_ts or now_ms, start)
    if end < start:
        raise BadRequest("Alarm start ts can't be greater then alarm end ts!")
    return _revised(current, request, start, end)


def cleared(current: AlarmState, details: Any | None, now_ms: int) -> AlarmState:
    """It is over; `details` replace its own unless they are None. One that is cleared stays as it is. Raises BadRequest."""
    if current.cleared:
        return current
    if details is not None:
        _check_details(details)
    return current._replace(
        cleared=True,
        clear_ts=now_ms,
        details=current.details if details is None else details,
        version=current.version + 1,
    )


def acknowledged(current: AlarmState, now_ms: int) -> AlarmState:
    """Somebody has seen it. One that is acknowledged stays as it is."""
    if current.acknowledged:
        return current
    return current._replace(acknowledged=True, ack_ts=now_ms, version=current.version + 1)


def assigned(current: AlarmState, assignee_id: uuid.UUID | None, now_ms: int) -> AlarmState:
    """Somebody looks after it, or nobody (None). Where that is so already it stays as it is."""
    if current.assignee_id == assignee_id:
        return current
    return current._replace(assignee_id=assignee_id, assign_ts=now_ms, version=current.version + 1)


def check(request: AlarmRequest) -> None:
    """Raises BadRequest for what no alarm can be, or the database cannot hold."""
    _check_kind(request.type, request.severity, tuple(request.relation_types))
    if not (0 <= request.start_ts <= LAST_MS and 0 <= request.end_ts <= LAST_MS):
        name = "endTs" if 0 <= request.start_ts <= LAST_MS else "startTs"
        raise BadRequest(f"{name}: expected milliseconds from 0 to {LAST_MS}")
    if 0 < request.end_ts < request.start_ts:
        raise BadRequest("Alarm start ts can't be greater then alarm end ts!")
    _check_details(request.details)


@lru_cache(maxsize=4096)  # a rule node says the same of every message
def _check_kind(type: str, severity: str, relation_types: tuple[str, ...]) -> None:
    if not type.strip():
        raise BadRequest("Alarm type should be specified!")
    if len(type) > LONGEST_TYPE:
        raise BadRequest(f"length of type must be equal or less than {LONGEST_TYPE}")
    if severity not in _SEVERITIES:
        raise BadRequest(f"Unknown severity '{severity[:40]}'; expected one of {', '.join(AlarmSeverity.values)}")
    if len(relation_types) > MOST_RELATION_TYPES:
        raise BadRequest(f"propagateRelationTypes: expected at most {MOST_RELATION_TYPES}")
    if any(len(each) > LONGEST_RELATION_TYPE for each in relation_types):
        raise BadRequest(f"propagateRelationTypes: expected at most {LONGEST_RELATION_TYPE} characters each")
    _check_text("type", type)
    for each in relation_types:
        _check_text("propagateRelationTypes", each)


def alarm_json(state: AlarmState) -> dict[str, Any]:
    """ThingsBoard's Alarm, in its order."""
    return {**first_members(state), **last_members(state)}


def first_members(state: AlarmState) -> dict[str, Any]:
    """Those that stand before what an AlarmInfo says besides."""
    owner = state.customer_id
    return {
        "id": EntityId(EntityType.ALARM, state.id).to_json(),
        "createdTime": state.created_time,
        "tenantId": EntityId(EntityType.TENANT, state.tenant_id).to_json(),
        # Null, not the NULL UUID, as only alarms have it.
        "customerId": None if owner is None else EntityId(EntityType.CUSTOMER, owner).to_json(),
        "type": state.type,
        "originator": state.originator.to_json(),
        "severity": state.severity,
        "acknowledged": state.acknowledged,
        "cleared": state.cleared,
        "assigneeId": None if state.assignee_id is None else EntityId(EntityType.USER, state.assignee_id).to_json(),
        "startTs": state.start_ts,
        "endTs": state.end_ts,
        "ackTs": state.ack_ts,
        "clearTs": state.clear_ts,
        "assignTs": state.assign_ts,
        "propagate": state.propagate,
        "propagateToOwner": state.propagate_to_owner,
        "propagateToTenant": state.propagate_to_tenant,
        "propagateRelationTypes": list(state.relation_types),
    }


def last_members(state: AlarmState) -> dict[str, Any]:
    """Those that stand behind it."""
    return {
        "name": state.type,
        "status": status_of(state.cleared, state.acknowledged).value,
        "details": state.details,
    }


def _new(request: AlarmRequest, start: int, end: int, now_ms: int) -> AlarmState:
    return AlarmState(
        id=new_id(),
        created_time=now_ms,
        version=1,
        tenant_id=request.tenant_id,
        customer_id=request.customer_id,
        originator=request.originator,
        type=request.type,
        severity=str(request.severity),
        acknowledged=False,
        cleared=False,
        start_ts=start,
        end_ts=end,
        ack_ts=0,
        clear_ts=0,
        assign_ts=0,
        assignee_id=None,
        details=request.details,
        propagate=request.propagate,
        propagate_to_owner=request.propagate_to_owner,
        propagate_to_tenant=request.propagate_to_tenant,
        relation_types=request.relation_types,
    )


def _revised(current: AlarmState, request: AlarmRequest, start: int, end: int) -> Raised:
    """The alarm as the request says it; itself where that is nothing new."""
    severity = str(request.severity)
    changed = severity != current.severity
    asked = (start, end, request.details, request.propagate, request.propagate_to_owner, request.propagate_to_tenant)
    has = (
        current.start_ts, current.end_ts, current.details, current.propagate, current.propagate_to_owner,
        current.propagate_to_tenant,
    )  # fmt: skip
    if not changed and asked == has and request.relation_types == current.relation_types:
        return Raised(current, False, False, False, None)
    # By position: rule nodes come here with every message, and `_replace` takes four times as long.
    state = AlarmState(
        current.id, current.created_time, current.version + 1, current.tenant_id, current.customer_id, current.originator,
        current.type, severity, current.acknowledged, current.cleared, start, end, current.ack_ts, current.clear_ts,
        current.assign_ts, current.assignee_id, *asked[2:], request.relation_types,
    )  # fmt: skip
    return Raised(state, False, True, changed, current.severity if changed else None)


def _check_details(details: Any) -> None:
    if not details:  # nothing, or an empty object
        return
    try:
        text = json_bytes(details)
    except TypeError:
        raise BadRequest("details: expected JSON with valid texts and no deep nesting") from None
    if len(text) > LARGEST_DETAILS:
        raise BadRequest(f"details: expected at most {LARGEST_DETAILS} bytes of JSON")
    if b"\\u0000" in text:
        raise BadRequest("details: a NUL character cannot be stored")


def _check_text(name: str, text: str) -> None:
    """The database holds neither NUL nor half a surrogate pair."""
    if "\0" in text or (
        not text.isascii() and not text.isprintable() and any("\ud800" <= each <= "\udfff" for each in text)
    ):
        raise BadRequest(f"{name}: expected a text without NUL and lone surrogates")
