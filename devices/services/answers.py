"""Answers of devices to calls: the door by which a transport has the rule chain that called go on.

A message that waits for an answer goes on once: by the first answer, or when its time is over, whichever comes first.
"""

import enum
import uuid

from django.db import connection, transaction

from thingsboard.kernel import outbox, timers
from thingsboard.kernel.encoding import json_bytes
from thingsboard.kernel.timers import Answer


class RpcError(enum.StrEnum):
    """Why there is no answer, in ThingsBoard's words."""

    NOT_FOUND = "NOT_FOUND"
    FORBIDDEN = "FORBIDDEN"
    NO_ACTIVE_CONNECTION = "NO_ACTIVE_CONNECTION"
    TIMEOUT = "TIMEOUT"
    INTERNAL = "INTERNAL"


@transaction.atomic
def answer_call(
    tenant_id: uuid.UUID, request_id: uuid.UUID, response: bytes | None = None, error: RpcError | None = None
) -> bool:
    """Give the device's answer (JSON text; None: an empty object, as for a one-way call that was sent), or why there is none.

    The waiting message leaves its node by Success with the answer as its body, or by Failure with {"error": ...}. False: nobody
    of that tenant waits for it, or not any more. In the caller's transaction where there is one.
    """
    if error is None:
        given = Answer(request_id, "Success", b"{}" if response is None else response, {"error": None})
    else:
        given = Answer(request_id, "Failure", json_bytes({"error": error.value}), {"error": error.value})
    connection.ensure_connection()
    answered = timers.answer(connection.connection, tenant_id, [given])
    if answered.lanes:
        transaction.on_commit(lambda: outbox.kick(answered.lanes), robust=True)
    return bool(answered.keys)
