"""The audit log: /api/audit/logs* (ThingsBoard's) and /api/v1/auditLogs. Read only."""

from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from rest_framework import serializers
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from tenants.models import ActionType, AuditLog
from tenants.permissions import Administrator, TenantAdmin
from tenants.services.documents import owner_json
from thingsboard.kernel.api import Query, View, path_uuid
from thingsboard.kernel.errors import BadRequest
from thingsboard.kernel.filters import CreatedBetween
from thingsboard.kernel.ids import NULL_UUID, EntityId, EntityType
from thingsboard.kernel.paging import PageLink
from thingsboard.kernel.resources import ResourceViewSet

_SORTABLE = {
    "createdTime": "created_time",
    "entityType": "entity_type",
    "entityName": "entity_name",
    "userName": "user_name",
    "actionType": "action",
    "actionStatus": "success",
}
_SEARCHED = ("entity_name", "user_name", "action", "entity_type")


def audit_log_json(row: AuditLog) -> dict[str, Any]:
    """An AuditLog (compat/data_model.md 6)."""
    return {
        "id": {"id": str(row.pk)},
        "createdTime": row.created_time,
        **owner_json(row.tenant_id, row.customer_id),
        "entityId": {"entityType": row.entity_type, "id": str(row.entity_id)},
        "entityName": row.entity_name,
        "userId": EntityId(EntityType.USER, row.user_id or NULL_UUID).to_json(),
        "userName": row.user_name or None,
        "actionType": row.action,
        "actionData": {**row.data, "address": row.address} if row.address else row.data,
        "actionStatus": "SUCCESS" if row.success else "FAILURE",
        "actionFailureDetails": row.failure or None,
    }


class _Logs(View):
    """A page of what the caller may see."""

    permission_classes: list[type[BasePermission]] = [TenantAdmin]

    def page(self, request: Request, **about: Any) -> Response:
        """PageData<AuditLog>: `startTime`, `endTime` (ms) and `actionTypes` (comma-separated) narrow it."""
        query = Query(request)
        link = PageLink.of(query, sortable=_SORTABLE)
        rows: QuerySet[AuditLog] = AuditLog.objects.visible_to(request.user).filter(**about)
        for name, condition in (("startTime", "created_time__gte"), ("endTime", "created_time__lte")):
            if name in query:
                rows = rows.filter(**{condition: query.whole(name, 0, low=0, high=2**62)})
        kinds = [kind.strip() for kind in query.get("actionTypes", "").split(",") if kind.strip()]
        if kinds:
            rows = rows.filter(action__in=kinds)
        return Response(link.apply(rows, search=_SEARCHED, to_json=audit_log_json))


class Logs(_Logs):
    """/api/audit/logs"""

    permission_classes = [Administrator]

    def get(self, request: Request) -> Response:
        """Everything of the tenant; of the system for its administrators."""
        return self.page(request)


class LogsOfCustomer(_Logs):
    """/api/audit/logs/customer/{customerId}"""

    def get(self, request: Request, customer_id: str) -> Response:
        """What was done to the customer's things."""
        return self.page(request, customer_id=path_uuid(customer_id))


class LogsOfUser(_Logs):
    """/api/audit/logs/user/{userId}"""

    def get(self, request: Request, user_id: str) -> Response:
        """What the user did."""
        return self.page(request, user_id=path_uuid(user_id))


class LogsOfEntity(_Logs):
    """/api/audit/logs/entity/{entityType}/{entityId}"""

    permission_classes = [Administrator]

    def get(self, request: Request, kind: str, entity_id: str) -> Response:
        """What was done to the entity, also after it was deleted."""
        if kind.upper() not in EntityType.__members__:
            raise BadRequest(f"Unknown entityType '{kind[:40]}'")
        return self.page(request, entity_type=kind.upper(), entity_id=path_uuid(entity_id))


class AuditLogSerializer(serializers.ModelSerializer[AuditLog]):
    """One deed."""

    class Meta:
        model = AuditLog
        fields = (
            "id", "created_time", "tenant_id", "customer_id", "user_id", "user_name", "address",
            "entity_type", "entity_id", "entity_name", "action", "success", "failure", "data",
        )  # fmt: skip
        read_only_fields = fields


class AuditLogFilter(CreatedBetween):
    """What may be asked for; times in ms."""

    action = filters.MultipleChoiceFilter(choices=ActionType.choices)

    class Meta:
        model = AuditLog
        fields = ("action", "entity_type", "entity_id", "user_id", "customer_id", "success")


class AuditLogs(ResourceViewSet):
    """/api/v1/auditLogs"""

    rows = AuditLog.objects.all()
    title = "Audit log"
    serializer_class = AuditLogSerializer
    filterset_class = AuditLogFilter
    permission_classes = [Administrator]
    http_method_names = ["get", "head", "options"]
    ordering_fields = ("created_time", "user_name", "entity_name", "action")
    search_fields = _SEARCHED
