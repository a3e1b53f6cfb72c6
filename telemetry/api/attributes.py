"""/api/plugins/telemetry/{type}/{id}/...attributes."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from telemetry import deeds, services
from telemetry.api.base import EntityView, WriteView, attributes_in, done, scope_of, writable_scope_of
from telemetry.api.parameters import keys_of, required_keys
from telemetry.api.shapes import attributes_json
from thingsboard.kernel.api import Query


class Keys(EntityView):
    """.../keys/attributes(/{scope})"""

    def get(self, request: Request, kind: str, entity_id: str, scope: str | None = None) -> Response:
        """The names of the entity's attributes."""
        key = self.entity(request, kind, entity_id)
        return Response(services.attribute_keys(key, None if scope is None else scope_of(scope)))


class Values(EntityView):
    """.../values/attributes(/{scope})"""

    def get(self, request: Request, kind: str, entity_id: str, scope: str | None = None) -> Response:
        """[{"lastUpdateTs", "key", "value"}]"""
        key = self.entity(request, kind, entity_id)
        asked = None if scope is None else scope_of(scope)
        return Response(attributes_json(services.attributes(key, asked, keys_of(Query(request)))))


class Write(WriteView):
    """.../attributes/{scope} and .../{scope}"""

    def post(self, request: Request, entity_id: str, scope: str, kind: str = "DEVICE") -> Any:
        """One flat object, in SERVER_SCOPE or SHARED_SCOPE; answered when it is committed."""
        target = self.writable(request, kind, entity_id)
        asked = writable_scope_of(scope)
        deeds.save_attributes(target, asked, attributes_in(request))
        return done()

    def delete(self, request: Request, entity_id: str, scope: str, kind: str = "DEVICE") -> Any:
        """Remove the attributes `keys` of a scope."""
        target = self.writable(request, kind, entity_id)
        deeds.delete_attributes(target, scope_of(scope), required_keys(Query(request)))
        return done()
