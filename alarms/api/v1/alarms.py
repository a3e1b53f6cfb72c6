"""/api/v1/alarms: alarms, with what can be done to them below."""

import uuid
from typing import Any

from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response

from alarms.api.access import customer_of_originator, visible_assignee
from alarms.api.lists import SEARCH_STATUSES
from alarms.api.v1.shapes import AlarmSerializer, AssigneeSerializer
from alarms.models import Alarm, AlarmSeverity, AlarmStatus
from alarms.services.alarms import (
    acknowledge_alarm,
    assign_alarm,
    clear_alarm,
    create_or_update_alarm,
    delete_alarm,
    unassign_alarm,
    update_alarm,
)
from alarms.services.state import AlarmRequest
from tenants.permissions import InTenant, callers_tenant
from thingsboard.kernel.entities import Action
from thingsboard.kernel.errors import BadRequest
from thingsboard.kernel.filters import CreatedBetween, FlagFilter
from thingsboard.kernel.ids import EntityId, EntityType
from thingsboard.kernel.resources import ResourceViewSet

_STATUSES = [(each, each) for each in (*SEARCH_STATUSES, *AlarmStatus.values)]


class AlarmFilter(CreatedBetween):
    """What may be asked for; `status` is ACTIVE, UNACK, CLEARED_ACK and the like. Several are any of them."""

    status = filters.MultipleChoiceFilter(choices=_STATUSES, method="in_status")
    severity = filters.MultipleChoiceFilter(choices=AlarmSeverity.choices)
    originator_type = filters.ChoiceFilter(choices=[(kind.value, kind.value) for kind in EntityType])
    originator_id = filters.UUIDFilter()
    assignee_id = filters.UUIDFilter()
    customer_id = filters.UUIDFilter()
    assigned = FlagFilter(field_name="assignee", lookup_expr="isnull", exclude=True)

    class Meta:
        model = Alarm
        fields = ("type", "acknowledged", "cleared")

    def in_status(self, rows: Any, name: str, value: Any) -> Any:
        """In any of these."""
        return rows.in_status(value)


class Alarms(ResourceViewSet):
    """Alarms: whoever may control what they are about, raises them and looks after them."""

    rows = Alarm.objects.all()
    title = "Alarm"
    serializer_class = AlarmSerializer
    filterset_class = AlarmFilter
    permission_classes = [InTenant]
    http_method_names = ["get", "post", "put", "delete", "head", "options"]
    ordering_fields = ("created_time", "start_ts", "end_ts", "ack_ts", "clear_ts", "type")
    search_fields = ("type",)

    def wanted(self) -> Action:
        """Deleting alarms is for those whose they are, all else for whoever may control what they are about."""
        if self.request.method in SAFE_METHODS:
            return Action.VIEW
        return Action.MANAGE if self.action == "destroy" else Action.CONTROL

    def make(self, data: dict[str, Any]) -> Alarm:
        """POST: raise one, or update the active one of that originator and type."""
        data.pop("version", None)
        originator = _originator(data)
        owners = callers_tenant(self.request), customer_of_originator(self.request, originator)
        return Alarm(pk=create_or_update_alarm(_request(data, originator, *owners)).id)

    def change(self, found: Alarm, data: dict[str, Any]) -> Alarm:
        """PUT: what it says; its originator and its type stay."""
        version, originator = data.pop("version", None), _originator(data)
        if (originator, data["type"]) != (found.originator, found.type):
            raise BadRequest("originator, type: they never change; raise another alarm")
        said = _request(data, originator, found.tenant_id, found.customer_id)
        update_alarm(found, said, version=version)
        return found

    def remove(self, found: Alarm) -> None:
        """DELETE."""
        delete_alarm(found)

    @extend_schema(request=None, responses=AlarmSerializer)
    @action(detail=True, methods=["post"])
    def acknowledge(self, request: Request, pk: Any = None) -> Response:
        """Somebody has seen it; 400 where that is so already."""
        alarm = self.get_object()
        acknowledge_alarm(alarm)
        return Response(self._read(alarm))

    @extend_schema(request=None, responses=AlarmSerializer)
    @action(detail=True, methods=["post"])
    def clear(self, request: Request, pk: Any = None) -> Response:
        """It is over; 400 where that is so already."""
        alarm = self.get_object()
        clear_alarm(alarm)
        return Response(self._read(alarm))

    @extend_schema(responses=AlarmSerializer)
    @action(detail=True, methods=["put", "delete"], serializer_class=AssigneeSerializer)
    def assignee(self, request: Request, pk: Any = None) -> Response:
        """PUT: this user looks after it. DELETE: nobody does."""
        alarm = self.get_object()
        if request.method == "DELETE":
            unassign_alarm(alarm)
            return Response(status=204)
        user = visible_assignee(request, self._validated()["assignee_id"])
        assign_alarm(alarm, user)
        return Response(self._read(alarm))

    def _read(self, row: Any) -> Any:
        return AlarmSerializer(self.rows.all().get(pk=row.pk)).data


def _originator(data: dict[str, Any]) -> EntityId:
    said = data.pop("originator")
    return EntityId(EntityType(said["type"]), said["id"])


def _request(
    data: dict[str, Any], originator: EntityId, tenant_id: uuid.UUID, customer_id: uuid.UUID | None
) -> AlarmRequest:
    relation_types = tuple(data.pop("propagate_relation_types"))
    return AlarmRequest(
        tenant_id=tenant_id, customer_id=customer_id, originator=originator, relation_types=relation_types, **data
    )
