"""ThingsBoard's EventController, and the last input of a node (compat/rest.tsv): whoever sees an entity sees its events."""

from typing import Any

from django.db.models import Q
from rest_framework.request import Request
from rest_framework.response import Response

from rules.api.event_filter import event_type, wanted
from rules.models import EventType, RuleEvent
from rules.querysets import RuleEventQuerySet
from rules.services.events import clear_events
from tenants.permissions import SignedIn, TenantAdmin, caller
from thingsboard.kernel.api import Query, View, path_uuid
from thingsboard.kernel.entities import Action, allowed, tenant_of, visible
from thingsboard.kernel.errors import BadRequest, Forbidden
from thingsboard.kernel.ids import EntityId, EntityType
from thingsboard.kernel.paging import PageLink

LAST_MS = 2**63 - 1
SORTABLE = {"createdTime": "created_time", "ts": "created_time", "id": "id"}


class Events(View):
    """/api/events/{entityType}/{entityId}"""

    permission_classes = [SignedIn]

    def get(self, request: Request, entity_type: str, entity_id: str) -> Response:
        """PageData<EventInfo> of its life, as ThingsBoard answers where no type is named."""
        return _page(request, entity_type, entity_id, EventType.LC_EVENT, Q())

    def post(self, request: Request, entity_type: str, entity_id: str) -> Response:
        """PageData<EventInfo> of what an EventFilter wants."""
        return _page(request, entity_type, entity_id, *wanted(self.body(request)))


class EventsOfType(View):
    """/api/events/{entityType}/{entityId}/{eventType}"""

    permission_classes = [SignedIn]

    def get(self, request: Request, entity_type: str, entity_id: str, type: str) -> Response:
        """PageData<EventInfo> of one type."""
        return _page(request, entity_type, entity_id, event_type(type), Q())


class Clearance(View):
    """/api/events/{entityType}/{entityId}/clear"""

    permission_classes = [SignedIn]

    def post(self, request: Request, entity_type: str, entity_id: str) -> Response:
        """Deletes what an EventFilter wants, for whoever manages the entity."""
        entity, _ = _entity(request, entity_type, entity_id)
        if not allowed(entity, request.user, Action.MANAGE):
            raise Forbidden
        kind, condition = wanted(self.body(request))
        clear_events(_between(RuleEvent.objects.of_entity(entity, kind).filter(condition), Query(request)))
        return Response(None)


class LastInput(View):
    """/api/ruleNode/{ruleNodeId}/debugIn"""

    permission_classes = [TenantAdmin]

    def get(self, request: Request, node_id: str) -> Response:
        """The body of the newest event of a message that came IN; nothing where there is none."""
        node = EntityId(EntityType.RULE_NODE, path_uuid(node_id))
        visible(node, caller(request))
        rows = RuleEvent.objects.of_entity(node, EventType.DEBUG_RULE_NODE).filter(body__type="IN")
        found = rows.order_by("-created_time", "-id").first()
        return Response(None if found is None else found.body)


def _entity(request: Request, entity_type: str, entity_id: str) -> tuple[EntityId, dict[str, str]]:
    """The entity of a path, which the caller sees, and the id of its tenant. Raises BadRequest, NotFound."""
    if entity_type.upper() not in EntityType.__members__:
        raise BadRequest(f"Unknown entityType '{entity_type[:40]}'")
    entity = EntityId(EntityType[entity_type.upper()], path_uuid(entity_id))
    found = visible(entity, request.user)
    return entity, EntityId(EntityType.TENANT, tenant_of(entity, found)).to_json()


def _page(request: Request, entity_type: str, entity_id: str, kind: EventType, condition: Q) -> Response:
    """A page of an entity's events; `tenantId` must be there, as in ThingsBoard, and says nothing that is not known."""
    entity, tenant = _entity(request, entity_type, entity_id)
    query = Query(request)
    if "tenantId" not in query:
        raise BadRequest("Required request parameter 'tenantId' is not present")
    path_uuid(query["tenantId"])
    link = PageLink.of(query, sortable=SORTABLE)
    rows = _between(RuleEvent.objects.of_entity(entity, kind).filter(condition), query)
    sign = "-" if link.descending else ""
    rows = rows.order_by(f"{sign}{link.sort}", f"{sign}id")
    total, start = rows.count(), link.page * link.page_size
    page = rows[start : start + link.page_size] if start < total else []
    return Response(
        {
            "data": [_info(each, entity, tenant) for each in page],
            "totalPages": -(-total // link.page_size),
            "totalElements": total,
            "hasNext": start + link.page_size < total,
        }
    )


def _between(rows: RuleEventQuerySet, query: Query) -> RuleEventQuerySet:
    """From `startTime` to `endTime`, both included, in ms. Raises BadRequest."""
    for name, condition in (("startTime", "created_time__gte"), ("endTime", "created_time__lte")):
        if name in query:
            rows = rows.filter(**{condition: query.whole(name, 0, low=0, high=LAST_MS)})
    return rows


def _info(event: RuleEvent, entity: EntityId, tenant: dict[str, str]) -> dict[str, Any]:
    """ThingsBoard's EventInfo."""
    uid = str(event.uid)
    return {
        "id": {"id": uid},
        "createdTime": event.created_time,
        "tenantId": tenant,
        "type": event.type,
        "uid": uid,
        "entityId": entity.to_json(),
        "body": event.body,
    }
