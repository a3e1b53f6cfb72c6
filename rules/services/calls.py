"""REST calls to the rule engine: what somebody posts becomes a message in the queue, whose chain may answer
(compat/rule_engine.md, "REST /api/rule-engine").
"""

import uuid
from typing import NamedTuple

from django.db import transaction

from rules.models import Queue
from thingsboard.kernel import outbox
from thingsboard.kernel.entities import queue_of, visible
from thingsboard.kernel.errors import BadRequest, PayloadTooLarge
from thingsboard.kernel.ids import EntityId

REQUEST = "REST_API_REQUEST"
LARGEST_BODY = 1 << 20  # bytes, as an answer may have


class Call(NamedTuple):
    """Who calls: the id of the call, the process that waits for its answer, until when (ms), and of whom the caller is."""

    id: uuid.UUID
    service: str
    expires: int
    tenant_id: uuid.UUID
    customer_id: uuid.UUID | None


def check_call(body: bytes, queue: str | None) -> None:
    """Raises PayloadTooLarge for a body that is too large, BadRequest for a queue that does not exist."""
    if len(body) > LARGEST_BODY:
        raise PayloadTooLarge(f"The request's body has {len(body)} bytes; expected at most {LARGEST_BODY}.")
    if queue is not None and not Queue.objects.filter(name=queue).exists():
        raise BadRequest(f"There is no queue '{queue[:40]}'.")


@transaction.atomic
def begin_call(call: Call, entity: EntityId, user: object, body: bytes, queue: str | None) -> None:
    """Have the body (JSON text) go through the rules as a message of the entity, which the user sees, in this queue or, None,
    the entity's own. Raises NotFound.
    """
    found = visible(entity, user)
    metadata = {"serviceId": call.service, "requestUUID": str(call.id), "expirationTime": str(call.expires)}
    message = outbox.Message(REQUEST, entity, body, metadata, customer_id=call.customer_id)
    outbox.append(call.tenant_id, message, queue=queue or queue_of(entity, found) or outbox.MAIN)
