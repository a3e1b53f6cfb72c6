"""What the rule engine hears of what people do with alarms, appended in the transaction that does it (compat/rule_engine.md,
"Messages fed by the platform").
"""

from django.db.models import Model

from alarms.services.state import AlarmState, alarm_json
from tenants.services.events import tell
from thingsboard.kernel import outbox
from thingsboard.kernel.encoding import json_bytes

CREATED_OR_UPDATED = "ALARM"
DELETE = "ALARM_DELETE"
UNASSIGNED = "ALARM_UNASSIGNED"


def announce(kind: str, state: AlarmState, originator: Model | None, **said: bool) -> None:
    """One message of this type about an alarm, from its originator, in whose queue it is; `said` is what becomes "true" in
    its metadata. An alarm may outlive its originator (None): then it is in the usual queue.
    """
    metadata = {name: "true" for name, holds in said.items() if holds}
    metadata |= {"entityName": state.type, "entityType": state.originator.type.value}
    if originator is not None:
        tell(kind, state.originator, originator, alarm_json(state), metadata, customer_id=state.customer_id)
        return
    body = json_bytes(alarm_json(state))
    message = outbox.Message(kind, state.originator, body, metadata, customer_id=state.customer_id)
    outbox.append(state.tenant_id, message)
