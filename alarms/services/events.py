"""What the rule engine hears of what people do with alarms, appended in the transaction that does it (compat/rule_engine.md,
"Messages fed by the platform").
"""

import uuid
from collections.abc import Iterable

from alarms.services.state import AlarmState, alarm_json
from tenants.models import User
from thingsboard.kernel import outbox
from thingsboard.kernel.encoding import json_bytes
from thingsboard.kernel.time import now_ms

CREATED_OR_UPDATED = "ALARM"
ACK = "ALARM_ACK"
CLEAR = "ALARM_CLEAR"
DELETE = "ALARM_DELETE"
ASSIGNED = "ALARM_ASSIGNED"
UNASSIGNED = "ALARM_UNASSIGNED"


def announce(kind: str, state: AlarmState, by: User | None, **said: bool) -> None:
    """One message of this type about an alarm, from its originator; `said` is what becomes "true" in its metadata."""
    outbox.append(state.tenant_id, _message(kind, state, by, said))


def announce_unassigned(tenant_id: uuid.UUID, states: Iterable[AlarmState]) -> None:
    """Nobody looks after these alarms of a tenant any more: whoever did is deleted."""
    outbox.append_many(tenant_id, [_message(UNASSIGNED, state, None, {}) for state in states])


def _message(kind: str, state: AlarmState, by: User | None, said: dict[str, bool]) -> outbox.Message:
    metadata = {name: "true" for name, holds in said.items() if holds}
    metadata |= {"entityName": state.type, "entityType": state.originator.type.value}
    if by is not None:
        metadata |= _acting(by)
    if state.customer_id is not None:
        metadata["customerId"] = str(state.customer_id)
    return outbox.Message(
        type=kind,
        originator=state.originator,
        data=json_bytes(alarm_json(state)),
        metadata=metadata,
        ts=now_ms(),
        customer_id=state.customer_id,
    )


def _acting(user: User) -> dict[str, str]:
    """Who did it; what a user does not have is left out."""
    told = {
        "userId": str(user.pk),
        "userName": user.email,
        "userEmail": user.email,
        "userFirstName": user.first_name,
        "userLastName": user.last_name,
    }
    return {name: value for name, value in told.items() if value}
