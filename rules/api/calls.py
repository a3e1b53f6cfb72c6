"""POST /api/rule-engine/...: a message for the rule chains, and their answer (compat/rest.tsv, RuleEngineController).

The view has the message queued; that the answer is waited for without a thread is the business of call_desk.py, which stands
before Django in asgi.py. A server without it (WSGI) answers at once, with nothing.
"""

import uuid

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from rest_framework.request import Request
from rest_framework.response import Response

from rules.api.call_desk import Seat, TimedOut, seat_of
from rules.services.calls import Call, begin_call, check_call
from tenants.access import may_write_values
from tenants.permissions import SignedIn, caller
from thingsboard.kernel.api import View, path_uuid, read_json
from thingsboard.kernel.entities import Action, allowed, visible
from thingsboard.kernel.errors import BadRequest, Forbidden, PayloadTooLarge
from thingsboard.kernel.ids import EntityId, EntityType
from thingsboard.kernel.time import now_ms

NOBODY = "rest"  # waits for the answer


class RuleEngine(View):
    """/api/rule-engine/ and /api/rule-engine/{entityType}/{entityId}[[/{queueName}]/{timeout}]"""

    permission_classes = [SignedIn]

    def post(
        self,
        request: Request,
        kind: str | None = None,
        entity_id: str | None = None,
        queue_name: str | None = None,
        timeout: str | None = None,
    ) -> Response:
        """Any JSON, as a message of the entity or of the caller; the answer is the body of the message that a node "rest call
        reply" gets, 408 where none did within `timeout` ms.
        """
        user = caller(request)
        body = _body(request)
        entity = EntityId(EntityType.USER, user.pk)
        if kind is not None and entity_id is not None:
            entity = _entity(kind, entity_id)
        _require_control(request, entity)
        seconds = _seconds(timeout)
        check_call(body, queue_name)
        if user.tenant_id is None:
            raise TimedOut("The system has no rule chains: nobody would answer.")
        seat = seat_of(request._request) or Seat(uuid.uuid4(), NOBODY)
        seat.take(user.tenant_id, seconds)
        expires = now_ms() + int(seconds * 1000)
        call = Call(seat.id, seat.service, expires, user.tenant_id, user.customer_id)
        begin_call(call, entity, user, body, queue_name)
        return Response()


def _body(request: Request) -> bytes:
    """The request's body as it came, which is JSON. Raises BadRequest, PayloadTooLarge."""
    try:
        body: bytes = request.body
    except RequestDataTooBig:
        raise PayloadTooLarge("The request's body is too large; expected at most 1 MiB.") from None
    if not body.strip():
        raise BadRequest("Invalid request body: expected JSON.")
    read_json(body)
    return body


def _entity(kind: str, entity_id: str) -> EntityId:
    try:
        found = EntityType(kind.upper())
    except ValueError:
        raise BadRequest(f"Unknown entityType '{kind[:40]}'") from None
    return EntityId(found, path_uuid(entity_id))


def _require_control(request: Request, entity: EntityId) -> None:
    """Whoever may write an entity's values may speak for it, and everybody for oneself. Raises NotFound, Forbidden."""
    user = request.user
    if entity.type is EntityType.USER and entity.id == user.pk:
        return
    visible(entity, user)
    if not may_write_values(user, entity.type) or not allowed(entity, user, Action.CONTROL):
        raise Forbidden


def _seconds(timeout: str | None) -> float:
    """For how long to wait; longer ones are cut. Raises BadRequest."""
    if timeout is None:
        return float(settings.TB_RULE_CALL_SECONDS)
    try:
        milliseconds = int(timeout)
    except ValueError:
        raise BadRequest(f"timeout: expected milliseconds, got '{timeout[:40]}'") from None
    return float(min(max(milliseconds, 0) / 1000, settings.TB_RULE_CALL_MAX_SECONDS))
