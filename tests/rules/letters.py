"""Dead letters, buried as the drain does it."""

import uuid
from typing import Any

from django.db import connection, transaction

from thingsboard.kernel import outbox
from thingsboard.kernel.ids import EntityId, EntityType
from thingsboard.kernel.models import DeadLetter, OutboxFlow, OutboxRow
from thingsboard.kernel.outbox import Message
from thingsboard.kernel.outbox.dead import Casualty, bury

CHAIN, NODE = uuid.UUID(int=1), uuid.UUID(int=2)


def letter(
    tenant_id: uuid.UUID,
    device_id: uuid.UUID | None = None,
    data: bytes = b'{"t": 1}',
    *,
    error: str = "The node failed.",
    queue: str = "Main",
    type: str = "POST_TELEMETRY_REQUEST",
    **changed: Any,
) -> DeadLetter:
    """One more; `changed` columns are set afterwards."""
    key = uuid.uuid4()
    metadata = {"deviceName": "Meter", "ts": "1000"}
    about = EntityId(EntityType.DEVICE, device_id or uuid.uuid4())
    message = Message(type, about, data, metadata, 1000, id=key)
    with transaction.atomic():
        bury(connection.connection, tenant_id, queue, [Casualty(message.row(), key, error, CHAIN.bytes, NODE.bytes, 3)])
    found: DeadLetter = DeadLetter.objects.latest("pk")
    if changed:
        DeadLetter.objects.filter(pk=found.pk).update(**changed)
        found.refresh_from_db()
    return found


def queued() -> list[tuple[str, str, bytes]]:
    """Queue, id and data of messages that run again, in their order; what is new has no id yet."""
    flows = {flow.pk: flow for flow in OutboxFlow.objects.all()}
    return [
        (flows[row.flow_id].queue, str(message.id), message.data)
        for row in OutboxRow.objects.order_by("id")
        for message in outbox.decode(bytes(row.body))
        if message.id is not None
    ]
