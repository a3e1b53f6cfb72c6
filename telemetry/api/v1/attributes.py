"""/telemetry/{entity_type}/{id}/attributes(/{scope}) of our own API."""

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from telemetry import deeds, services
from telemetry.api.base import attributes_in, readable, scope_of, writable, writable_scope_of
from telemetry.api.parameters import keys_of, required_keys
from telemetry.api.v1.base import ResourceView
from telemetry.json import typed
from telemetry.points import Scope
from thingsboard.kernel.api import Query


class Attributes(ResourceView):
    """Reads of all scopes or one; writes go to SERVER_SCOPE unless the path names another."""

    def get(self, request: Request, entity_type: str, entity_id: str, scope: str | None = None) -> Response:
        """{"data": [{"key", "value", "scope", "last_update_ts"}]}, all or those of `keys`."""
        entity = readable(request, entity_type, entity_id)
        asked = None if scope is None else scope_of(scope.upper())
        found = services.attributes(entity, asked, keys_of(Query(request)))
        return Response(
            {
                "data": [
                    {
                        "key": one.key,
                        "value": typed(one.value),
                        "scope": one.scope.json,
                        "last_update_ts": one.last_update_ts,
                    }
                    for one in found
                ]
            }
        )

    def post(self, request: Request, entity_type: str, entity_id: str, scope: str = Scope.SERVER.json) -> Response:
        """One flat object: {"saved": attributes}, once they are committed."""
        target = writable(request, entity_type, entity_id)
        asked, values = writable_scope_of(scope.upper()), attributes_in(request)
        deeds.save_attributes(target, asked, values)
        return Response({"saved": len(values)})

    def delete(self, request: Request, entity_type: str, entity_id: str, scope: str = Scope.SERVER.json) -> Response:
        """Remove the attributes `keys`: 204."""
        target = writable(request, entity_type, entity_id)
        deeds.delete_attributes(target, scope_of(scope.upper()), required_keys(Query(request)))
        return Response(status=status.HTTP_204_NO_CONTENT)
