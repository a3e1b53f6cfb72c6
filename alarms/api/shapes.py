"""The JSON of alarms (compat/data_model.md 7), and how it is read."""

import uuid
from collections.abc import Mapping
from typing import Any

from alarms.models import Alarm
from alarms.services.originators import Names, name_and_label
from alarms.services.state import (
    LAST_MS,
    MOST_RELATION_TYPES,
    AlarmRequest,
    AlarmState,
    first_members,
    last_members,
)
from thingsboard.kernel.api import flag_of, text_of
from thingsboard.kernel.errors import BadRequest
from thingsboard.kernel.ids import EntityId, EntityType


def state_of(row: Alarm) -> AlarmState:
    """A row as the rules know it."""
    return AlarmState(
        id=row.pk,
        created_time=row.created_time,
        version=row.version,
        tenant_id=row.tenant_id,
        customer_id=row.customer_id,
        originator=row.originator,
        type=row.type,
        severity=row.severity,
        acknowledged=row.acknowledged,
        cleared=row.cleared,
        start_ts=row.start_ts,
        end_ts=row.end_ts,
        ack_ts=row.ack_ts,
        clear_ts=row.clear_ts,
        assign_ts=row.assign_ts,
        assignee_id=row.assignee_id,
        details=row.details,
        propagate=row.propagate,
        propagate_to_owner=row.propagate_to_owner,
        propagate_to_tenant=row.propagate_to_tenant,
        relation_types=tuple(row.propagate_relation_types),
    )


def alarm_info_json(row: Alarm, names: Names) -> dict[str, Any]:
    """An AlarmInfo; `names` comes from `names_of`, the row with its assignee."""
    state = state_of(row)
    name, label = name_and_label(row, names)
    assignee = row.assignee
    told = assignee and {
        "id": EntityId(EntityType.USER, assignee.pk).to_json(),
        "firstName": assignee.first_name or None,
        "lastName": assignee.last_name or None,
        "email": assignee.email,
    }
    return {
        **first_members(state),
        "originatorName": name,
        "originatorLabel": label,
        "originatorDisplayName": label,
        "assignee": told,
        **last_members(state),
    }


def originator_of(body: Mapping[str, Any]) -> EntityId:
    """What an alarm is about. Raises BadRequest."""
    if body.get("originator") is None:
        raise BadRequest("Alarm originator should be specified!")
    try:
        return EntityId.from_json(body["originator"])
    except ValueError as error:
        raise BadRequest(f"originator: {error}") from None


def alarm_request(
    body: Mapping[str, Any], originator: EntityId, tenant_id: uuid.UUID, customer_id: uuid.UUID | None
) -> AlarmRequest:
    """What an Alarm in a request says of what is wrong; whose it is, counts for nothing there. Raises BadRequest."""
    return AlarmRequest(
        tenant_id=tenant_id,
        customer_id=customer_id,
        originator=originator,
        type=text_of(body, "type"),
        severity=text_of(body, "severity"),
        details=body.get("details"),
        start_ts=time_of(body, "startTs"),
        end_ts=time_of(body, "endTs"),
        propagate=flag_of(body, "propagate"),
        propagate_to_owner=flag_of(body, "propagateToOwner"),
        propagate_to_tenant=flag_of(body, "propagateToTenant"),
        relation_types=_texts(body, "propagateRelationTypes"),
    )


def time_of(body: Mapping[str, Any], name: str) -> int:
    """A member in ms, 0 where it is absent or null. Raises BadRequest."""
    value = body.get(name)
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LAST_MS:
        raise BadRequest(f"{name}: expected milliseconds from 0 to {LAST_MS}")
    return value


def _texts(body: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = body.get(name)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise BadRequest(f"{name}: expected at most {MOST_RELATION_TYPES} texts")
    return tuple(value)
