"""What the views of one entity's values share: finding it, reading bodies and scopes, and refusing in bare text."""

import uuid
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.response import Response

from telemetry.deeds import Target
from telemetry.json import Rules, attributes_from_json, telemetry_from_json
from telemetry.points import Reading, Scope, Value
from tenants.access import may_write_values
from thingsboard.kernel.api import View, path_uuid
from thingsboard.kernel.entities import Action, allowed, tenant_of, visible
from thingsboard.kernel.errors import BadRequest, Forbidden, PayloadTooLarge
from thingsboard.kernel.ids import EntityId, EntityType
from thingsboard.kernel.time import now_ms


class EntityView(View):
    """Reads of one entity's values."""

    def entity(self, request: Request, kind: str, entity_id: str) -> uuid.UUID:
        """The id of the entity, once it is known that the caller may see it. Raises BadRequest or NotFound."""
        return readable(request, kind, entity_id)


class WriteView(EntityView):
    """Writes of one entity's values: done is an empty 200, a refusal is a 400 with bare text."""

    def handle_exception(self, exc: Exception) -> Any:
        """Bare text for what is wrong with the request, the usual body for the rest."""
        if isinstance(exc, BadRequest):
            return HttpResponse(exc.message, status=400, content_type="text/plain;charset=UTF-8")
        return super().handle_exception(exc)

    def writable(self, request: Request, kind: str, entity_id: str) -> Target:
        """An entity whose values the caller may write. Raises BadRequest, NotFound, Forbidden."""
        return writable(request, kind, entity_id)


def readable(request: Request, kind: str, entity_id: str) -> uuid.UUID:
    """The id of an entity that the caller sees. Raises BadRequest or NotFound."""
    entity = _entity(kind, entity_id)
    visible(entity, request.user)
    return entity.id


def writable(request: Request, kind: str, entity_id: str) -> Target:
    """An entity whose values the caller may write. Raises BadRequest, NotFound, Forbidden."""
    entity = _entity(kind, entity_id)
    found = visible(entity, request.user)
    if not may_write_values(request.user, entity.type) or not allowed(entity, request.user, Action.CONTROL):
        raise Forbidden
    return Target(tenant_of(entity, found), entity, found)


def readings_of(request: Request) -> list[Reading]:
    """The readings of a body: {"k": v}, {"ts", "values"} or an array of either. Raises BadRequest."""
    try:
        readings = telemetry_from_json(_payload(request), now_ms(), _rules(), skip_nulls=False)
    except ValueError as error:
        raise BadRequest(str(error)) from None
    if not readings:
        raise BadRequest("No timeseries data found in request body!")
    return readings


def attributes_in(request: Request) -> dict[str, Value]:
    """The attributes of a body: one flat object. Raises BadRequest."""
    try:
        values = attributes_from_json(_payload(request), _rules(), skip_nulls=False)
    except ValueError as error:
        raise BadRequest(str(error)) from None
    if not values:
        raise BadRequest("No attributes data found in request body!")
    return values


def done() -> Response:
    """An empty 200."""
    return Response()


def _payload(request: Request) -> bytes:
    """The request's body as it came. Raises PayloadTooLarge."""
    try:
        body: bytes = request.body
    except RequestDataTooBig:
        raise PayloadTooLarge("The request's body is too large; expected at most 16 MiB.") from None
    return body


def _rules() -> Rules:
    """The decoder's settings."""
    return Rules(
        cast=settings.TB_JSON_TYPE_CAST,
        longest_string=settings.TB_MAX_STRING_VALUE_LENGTH,
        most_keys=settings.TB_MAX_KEYS_PER_MESSAGE,
    )


def scope_of(text: str) -> Scope:
    """A scope of a path. Raises BadRequest."""
    try:
        return Scope.of(text)
    except ValueError as error:
        raise BadRequest(str(error)) from None


def writable_scope_of(text: str) -> Scope:
    """A scope that users may write: the device alone writes its client scope. Raises BadRequest."""
    scope = scope_of(text)
    if scope is Scope.CLIENT:
        raise BadRequest("Invalid scope: CLIENT_SCOPE; expected SERVER_SCOPE or SHARED_SCOPE")
    return scope


def _entity(kind: str, entity_id: str) -> EntityId:
    try:
        found = EntityType(kind.upper())
    except ValueError:
        raise BadRequest(f"Unknown entityType '{kind[:40]}'") from None
    return EntityId(found, path_uuid(entity_id))
