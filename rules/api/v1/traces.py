"""/api/v1/traces: what became of messages. /api/v1/traceDemands: whose messages are to be traced."""

from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from rest_framework import serializers

from rules.models import Trace, TraceDemand
from rules.services.traces import MOST_MESSAGES, MOST_MINUTES, end_trace, start_trace
from tenants.permissions import TenantAdmin, caller, callers_tenant
from thingsboard.kernel.entities import tenant_of, visible
from thingsboard.kernel.errors import NotFound
from thingsboard.kernel.filters import CreatedBetween, FlagFilter
from thingsboard.kernel.ids import EntityId, EntityType
from thingsboard.kernel.resources import ResourceViewSet

_KINDS = [(kind.value, kind.value) for kind in EntityType]


class TracedSerializer(serializers.Serializer[Any]):
    """Whose messages."""

    entity_type = serializers.ChoiceField(choices=_KINDS, source="originator_type")
    id = serializers.UUIDField(source="originator_id")


class TraceSerializer(serializers.ModelSerializer[Trace]):
    """A trace in a list; times in ms since 1970, durations in microseconds."""

    originator = TracedSerializer(source="*", read_only=True)
    total_us = serializers.IntegerField(read_only=True)

    class Meta:
        model = Trace
        fields = (
            "id", "created_time", "demand_id", "originator", "message_id", "type", "queue", "chain_id", "chain_name", "error",
            "batch", "nodes", "wait_us", "run_us", "write_us", "total_us",
        )  # fmt: skip


class TimelineSerializer(TraceSerializer):
    """A trace with its timeline."""

    class Meta:
        model = Trace
        fields = (*TraceSerializer.Meta.fields, "timeline")


class TraceFilter(CreatedBetween):
    """What may be asked for; `failed` is true or false."""

    originator_type = filters.ChoiceFilter(choices=_KINDS)
    originator_id = filters.UUIDFilter()
    chain_id = filters.UUIDFilter()
    demand_id = filters.UUIDFilter()
    message_id = filters.UUIDFilter()
    failed = FlagFilter(method="having_failed")

    class Meta:
        model = Trace
        fields = ("type", "queue")

    def having_failed(self, rows: QuerySet[Trace], name: str, value: bool) -> QuerySet[Trace]:
        """Those that failed, or those that did not."""
        return rows.exclude(error="") if value else rows.filter(error="")


class Traces(ResourceViewSet):
    """What became of messages: for tenant administrators, to be read."""

    rows = Trace.objects.all()
    title = "Trace"
    serializer_class = TraceSerializer
    filterset_class = TraceFilter
    permission_classes = [TenantAdmin]
    http_method_names = ["get", "head", "options"]
    ordering_fields = ("created_time", "run_us", "wait_us", "nodes")
    search_fields = ("type", "error")

    def get_queryset(self) -> Any:
        """Lists do without timelines."""
        rows: Any = super().get_queryset()
        return rows.listed() if self.action == "list" else rows

    def get_serializer_class(self) -> Any:
        """One trace has its timeline."""
        return TimelineSerializer if self.action == "retrieve" else TraceSerializer


class TraceDemandSerializer(serializers.ModelSerializer[TraceDemand]):
    """A demand: the next `messages` of the originator, for `minutes` at most. `until` in ms since 1970."""

    originator = TracedSerializer(source="*")
    messages = serializers.IntegerField(min_value=1, max_value=MOST_MESSAGES, default=10)
    minutes = serializers.IntegerField(min_value=1, max_value=MOST_MINUTES, default=10, write_only=True)
    active = serializers.BooleanField(read_only=True)

    class Meta:
        model = TraceDemand
        fields = (
            "id", "created_time", "originator", "messages", "minutes", "taken", "until", "active", "user_name",
        )  # fmt: skip
        read_only_fields = ("created_time", "taken", "until", "user_name")


class TraceDemandFilter(CreatedBetween):
    """What may be asked for."""

    originator_id = filters.UUIDFilter()
    active = FlagFilter(method="being_active")

    class Meta:
        model = TraceDemand
        fields = ("originator_type",)

    def being_active(self, rows: Any, name: str, value: bool) -> Any:
        """Those by which messages are traced now, or the others."""
        return rows.active() if value else rows.exclude(pk__in=rows.active().values("pk"))


class TraceDemands(ResourceViewSet):
    """Whose messages are to be traced: tenant administrators start that, and end it before its time."""

    rows = TraceDemand.objects.all()
    title = "Trace demand"
    serializer_class = TraceDemandSerializer
    filterset_class = TraceDemandFilter
    permission_classes = [TenantAdmin]
    http_method_names = ["get", "post", "delete", "head", "options"]
    ordering_fields = ("created_time", "until")
    search_fields = ("user_name",)

    def make(self, data: dict[str, Any]) -> TraceDemand:
        """POST: from the next message on."""
        originator = EntityId(EntityType(data["originator_type"]), data["originator_id"])
        tenant_id = callers_tenant(self.request)
        if tenant_of(originator, visible(originator, self.request.user)) != tenant_id:
            raise NotFound(f"The {originator.type.value} [{originator.id}] is not one of the tenant")
        by = caller(self.request).email
        return start_trace(tenant_id, originator, messages=data["messages"], minutes=data["minutes"], user_name=by)

    def remove(self, found: TraceDemand) -> None:
        """DELETE: no further messages; it stays in the list until it is old."""
        end_trace(found)
