"""/api/v1/dashboards: dashboards, with their customers below."""

import uuid
from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from dashboards.api.shapes import configuration_of
from dashboards.models import Dashboard
from dashboards.services.dashboards import (
    LARGEST_IMAGE,
    LARGEST_ORDER,
    MOST_CUSTOMERS,
    SMALLEST_ORDER,
    DashboardFields,
    add_customers,
    create_dashboard,
    delete_dashboard,
    remove_customers,
    set_customers,
    update_dashboard,
)
from tenants.models import Customer
from tenants.permissions import InTenant, TenantAdmin, callers_tenant
from thingsboard.kernel.entities import Action
from thingsboard.kernel.errors import Forbidden
from thingsboard.kernel.filters import CreatedBetween
from thingsboard.kernel.resources import ResourceViewSet
from thingsboard.kernel.serializers import EntitySerializer

_READ = ("id", "created_time", "tenant_id", "title", "image", "mobile_hide", "mobile_order", "version")


class ListedSerializer(serializers.ModelSerializer[Dashboard]):
    """A dashboard in a list: without its configuration, and without an image that is larger than a list can hold."""

    image = serializers.CharField(source="listed_image", allow_null=True)

    class Meta:
        model = Dashboard
        fields = _READ
        read_only_fields = fields


class DashboardSerializer(EntitySerializer):
    """A whole dashboard."""

    title = serializers.CharField(max_length=255)
    image = serializers.CharField(max_length=LARGEST_IMAGE, allow_null=True, allow_blank=True, required=False)
    mobile_hide = serializers.BooleanField(default=False)
    mobile_order = serializers.IntegerField(
        min_value=SMALLEST_ORDER, max_value=LARGEST_ORDER, allow_null=True, required=False
    )
    external_id = serializers.UUIDField(allow_null=True, required=False)

    class Meta:
        model = Dashboard
        fields = (*_READ, "external_id", "configuration")

    configuration = serializers.JSONField(allow_null=True, required=False)

    def to_representation(self, instance: Dashboard) -> dict[str, Any]:
        """With the configuration as a document."""
        told: dict[str, Any] = super().to_representation(instance)
        told["configuration"] = configuration_of(instance)
        return told


class AssignedCustomerSerializer(serializers.ModelSerializer[Customer]):
    """A customer to which it is assigned."""

    class Meta:
        model = Customer
        fields = ("id", "title")
        read_only_fields = fields


class CustomersSerializer(serializers.Serializer[Any]):
    """Which customers."""

    ids = serializers.ListField(child=serializers.UUIDField(), max_length=MOST_CUSTOMERS)


class DashboardFilter(CreatedBetween):
    """What may be asked for."""

    customer_id = filters.UUIDFilter(method="of_customer")

    class Meta:
        model = Dashboard
        fields = ("title", "mobile_hide", "external_id")

    def of_customer(self, rows: QuerySet[Dashboard], name: str, value: uuid.UUID) -> QuerySet[Dashboard]:
        """Assigned to a customer that the caller may know of: who has a dashboard besides is nobody's business."""
        return rows.filter(customers__in=Customer.objects.visible_to(self.request.user).filter(pk=value))


class Dashboards(ResourceViewSet):
    """Dashboards: administrators make them, customer users see those that are assigned to their customer."""

    rows = Dashboard.objects.all()
    title = "Dashboard"
    serializer_class = DashboardSerializer
    permission_classes = [InTenant]
    write_permissions = [TenantAdmin]
    filterset_class = DashboardFilter
    ordering_fields = ("created_time", "title", "mobile_order")
    search_fields = ("title",)

    def get_queryset(self) -> QuerySet[Dashboard]:
        """Those of a list without what is large."""
        rows: Any = super().get_queryset()
        return rows.listed() if self.action == "list" else rows.whole()  # type: ignore[no-any-return]

    def get_serializer_class(self) -> Any:
        """That of lists is shorter."""
        return ListedSerializer if self.action == "list" else super().get_serializer_class()

    def make(self, data: dict[str, Any]) -> Dashboard:
        """POST."""
        data.pop("version", None)
        return create_dashboard(callers_tenant(self.request), _fields(data))

    def change(self, found: Dashboard, data: dict[str, Any]) -> Dashboard:
        """PUT; a `version` must be the present one."""
        version = data.pop("version", None)
        return update_dashboard(found, _fields(data), version=version)

    def remove(self, found: Dashboard) -> None:
        """DELETE."""
        delete_dashboard(found)

    @extend_schema(responses=AssignedCustomerSerializer(many=True))
    @action(detail=True, methods=["get", "put"], filter_backends=[], serializer_class=CustomersSerializer)
    def customers(self, request: Request, pk: Any = None) -> Response:
        """GET: to whom it is assigned, by title. PUT: assign it to exactly the customers `ids`."""
        found = self.get_object()
        if request.method == "PUT":
            set_customers(found, self._validated()["ids"])
            return Response(status=204)
        if not Dashboard.objects.visible_to(request.user, Action.MANAGE).filter(pk=found.pk).exists():
            raise Forbidden
        page = self.paginate_queryset(found.customers.order_by("title"))
        return self.get_paginated_response(AssignedCustomerSerializer(page, many=True).data)

    @extend_schema(responses={204: None})
    @action(detail=True, methods=["post"], url_path="customers/add", serializer_class=CustomersSerializer)
    def add(self, request: Request, pk: Any = None) -> Response:
        """Assign it to the customers `ids`, too: all or none."""
        add_customers(self.get_object(), self._validated()["ids"])
        return Response(status=204)

    @extend_schema(responses={204: None})
    @action(detail=True, methods=["post"], url_path="customers/remove", serializer_class=CustomersSerializer)
    def take_away(self, request: Request, pk: Any = None) -> Response:
        """Take it from the customers `ids`."""
        remove_customers(self.get_object(), self._validated()["ids"])
        return Response(status=204)

    def _read(self, row: Any) -> Any:
        return DashboardSerializer(Dashboard.objects.whole().get(pk=row.pk)).data


def _fields(data: dict[str, Any]) -> DashboardFields:
    return DashboardFields(**{**data, "image": data.get("image") or None})
