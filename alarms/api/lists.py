"""Lists of alarms (compat/rest.tsv, AlarmController): of an entity, of all that the caller sees; their types and gravity."""

from collections.abc import Collection
from typing import Any

from django.db.models import Case, IntegerField, Value, When
from rest_framework.request import Request
from rest_framework.response import Response

from alarms.api.access import visible_alarms, visible_entity
from alarms.api.shapes import alarm_info_json
from alarms.models import Alarm, AlarmSeverity, AlarmStatus
from alarms.querysets import AlarmQuerySet
from alarms.services.originators import names_of
from tenants.permissions import InTenant, SignedIn, callers_tenant
from thingsboard.kernel.api import Query, View, path_uuid
from thingsboard.kernel.errors import BadRequest
from thingsboard.kernel.ids import EntityId, EntityType
from thingsboard.kernel.paging import PageLink

SEARCH_STATUSES = ("ANY", "ACTIVE", "CLEARED", "ACK", "UNACK")
MOST_LISTED = 100  # values of one parameter
LAST_MS = 2**63 - 1
SORTABLE = {
    "createdTime": "created_time",
    "startTs": "start_ts",
    "endTs": "end_ts",
    "ackTs": "ack_ts",
    "clearTs": "clear_ts",
    "type": "type",
    "severity": "gravity",
    "status": "stage",
    "originatorType": "originator_type",
    "assignee": "assignee__email",
}
SEARCHED = ("type", "severity")


def ranked(rows: Any) -> Any:
    """With `gravity` (0: the gravest severity) and `stage` (0: active and unacknowledged) to sort by."""
    gravities = [When(severity=severity, then=Value(place)) for place, severity in enumerate(AlarmSeverity.values)]
    stages = [
        When(cleared=False, acknowledged=False, then=Value(0)),
        When(cleared=False, then=Value(1)),
        When(acknowledged=False, then=Value(2)),
    ]
    return rows.annotate(
        gravity=Case(*gravities, default=Value(len(gravities)), output_field=IntegerField()),
        stage=Case(*stages, default=Value(3), output_field=IntegerField()),
    )


class AlarmsOfEntity(View):
    """/api/alarm/{entityType}/{entityId}"""

    permission_classes = [SignedIn]

    def get(self, request: Request, entity_type: str, entity_id: str) -> Response:
        """PageData<AlarmInfo> of the alarms that it raised."""
        entity, query = visible_entity(request, entity_type, entity_id), Query(request)
        return _page(query, _in_one_status(visible_alarms(request.user).of_originator(entity), query))


class AllAlarms(View):
    """/api/alarms"""

    permission_classes = [InTenant]

    def get(self, request: Request) -> Response:
        """PageData<AlarmInfo> of all that the caller sees."""
        query = Query(request)
        return _page(query, _in_one_status(visible_alarms(request.user), query))


class AlarmsOfEntityV2(View):
    """/api/v2/alarm/{entityType}/{entityId}"""

    permission_classes = [SignedIn]

    def get(self, request: Request, entity_type: str, entity_id: str) -> Response:
        """PageData<AlarmInfo> of the alarms that it raised."""
        entity, query = visible_entity(request, entity_type, entity_id), Query(request)
        return _page(query, _in_many(visible_alarms(request.user).of_originator(entity), query))


class AllAlarmsV2(View):
    """/api/v2/alarms"""

    permission_classes = [InTenant]

    def get(self, request: Request) -> Response:
        """PageData<AlarmInfo> of all that the caller sees."""
        query = Query(request)
        return _page(query, _in_many(visible_alarms(request.user), query))


class HighestSeverity(View):
    """/api/alarm/highestSeverity/{entityType}/{entityId}"""

    permission_classes = [InTenant]

    def get(self, request: Request, entity_type: str, entity_id: str) -> Response:
        """The gravest severity of an entity's alarms in that status, as a JSON text; nothing where there are none."""
        entity, query = visible_entity(request, entity_type, entity_id), Query(request)
        rows = _of_assignee(_in_one_status(visible_alarms(request.user).of_originator(entity), query), query)
        found = set(rows.order_by().values_list("severity", flat=True).distinct())
        return Response(next((severity for severity in AlarmSeverity.values if severity in found), None))


class AlarmTypes(View):
    """/api/alarm/types"""

    permission_classes = [InTenant]

    def get(self, request: Request) -> Response:
        """PageData<EntitySubtype>: the types of the alarms that the caller sees, by name."""
        query = Query(request)
        link = PageLink.of({"sortOrder": "ASC", **query, "sortProperty": "type"}, sortable={"type": "type"})
        wanted = link.text.casefold()
        names = sorted(name for name in Alarm.objects.types_seen_by(request.user) if wanted in name.casefold())
        if link.descending:
            names.reverse()
        start, total = link.page * link.page_size, len(names)
        tenant = EntityId(EntityType.TENANT, callers_tenant(request)).to_json()
        page = names[start : start + link.page_size]
        return Response(
            {
                "data": [{"tenantId": tenant, "entityType": EntityType.ALARM.value, "type": name} for name in page],
                "totalPages": -(-total // link.page_size),
                "totalElements": total,
                "hasNext": start + link.page_size < total,
            }
        )


def _page(query: Query, rows: AlarmQuerySet) -> Response:
    link = PageLink.of(query, sortable=SORTABLE)
    rows = ranked(_between(_of_assignee(rows, query), query))
    page = link.apply(rows, search=SEARCHED, to_json=lambda row: row)
    names = names_of(page["data"])
    return Response({**page, "data": [alarm_info_json(row, names) for row in page["data"]]})


def _in_one_status(rows: AlarmQuerySet, query: Query) -> AlarmQuerySet:
    """By `searchStatus`, or `status`. Raises BadRequest."""
    if "searchStatus" in query and "status" in query:
        raise BadRequest(
            "Invalid alarms search query: Both parameters 'searchStatus' and 'status' can't be specified at the same time!"
        )
    searched = _known("searchStatus", query.all("searchStatus")[-1:], SEARCH_STATUSES)
    return rows.in_status(searched or _known("status", query.all("status")[-1:], AlarmStatus.values))


def _in_many(rows: AlarmQuerySet, query: Query) -> AlarmQuerySet:
    """By `statusList`, `severityList` and `typeList`, with commas or repeated. Raises BadRequest."""
    rows = rows.in_status(_known("statusList", _listed(query, "statusList"), SEARCH_STATUSES))
    if severities := _known("severityList", _listed(query, "severityList"), AlarmSeverity.values):
        rows = rows.filter(severity__in=severities)
    if types := _listed(query, "typeList"):
        rows = rows.filter(type__in=types)
    return rows


def _of_assignee(rows: AlarmQuerySet, query: Query) -> AlarmQuerySet:
    return rows.assigned_to(path_uuid(query["assigneeId"])) if "assigneeId" in query else rows


def _between(rows: AlarmQuerySet, query: Query) -> AlarmQuerySet:
    """Created from `startTime` to `endTime`, both included, in ms. Raises BadRequest."""
    for name, condition in (("startTime", "created_time__gte"), ("endTime", "created_time__lte")):
        if name in query:
            rows = rows.filter(**{condition: query.whole(name, 0, low=0, high=LAST_MS)})
    return rows


def _known(name: str, values: list[str], known: Collection[str]) -> list[str]:
    """The values. Raises BadRequest for one that is not known."""
    for value in values:
        if value not in known:
            raise BadRequest(f"Unknown {name} '{value[:40]}'; expected one of {', '.join(known)}")
    return values


def _listed(query: Query, name: str) -> list[str]:
    found = [part.strip() for part in ",".join(query.all(name)).split(",")]
    parts = list(dict.fromkeys(part for part in found if part))
    if len(parts) > MOST_LISTED:
        raise BadRequest(f"{name}: expected at most {MOST_LISTED}")
    return parts
