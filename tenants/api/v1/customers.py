"""/api/v1/customers: who a tenant's devices are assigned to."""

from typing import Any

from django_filters import rest_framework as filters
from rest_framework import serializers

from tenants.api.v1.contacts import CONTACT, CONTACT_BOUNDS
from tenants.models import Customer
from tenants.permissions import InTenant, TenantAdmin, tenant_of
from tenants.services.customers import create_customer, delete_customer, is_public, update_customer
from thingsboard.kernel.filters import CreatedBetween
from thingsboard.kernel.resources import ResourceViewSet
from thingsboard.kernel.serializers import EntitySerializer, JsonObject


class CustomerSerializer(EntitySerializer):
    """A customer; `name` is its title."""

    name = serializers.CharField(source="title", read_only=True)
    title = serializers.CharField(max_length=255)
    email = serializers.EmailField(max_length=255, required=False, allow_blank=True)
    additional_info = JsonObject(required=False, allow_null=True)
    is_public = serializers.SerializerMethodField(help_text="Whether it stands for everybody.")

    class Meta:
        model = Customer
        fields = (
            "id", "created_time", "name", "title", "tenant_id", "is_public", *CONTACT,
            "external_id", "additional_info", "version",
        )  # fmt: skip
        extra_kwargs = CONTACT_BOUNDS

    def get_is_public(self, customer: Customer) -> bool:
        """Whether it stands for everybody."""
        return is_public(customer)


class CustomerFilter(CreatedBetween):
    """What may be asked for."""

    title = filters.CharFilter()

    class Meta:
        model = Customer
        fields = ("title", "email", "country", "state", "city", "zip", "phone")


class Customers(ResourceViewSet):
    """Customers: administrators keep them, a customer user sees its own."""

    rows = Customer.objects.all()
    title = "Customer"
    serializer_class = CustomerSerializer
    filterset_class = CustomerFilter
    permission_classes = [InTenant]
    write_permissions = [TenantAdmin]
    ordering_fields = ("created_time", "title", "email", "country", "state", "city")
    search_fields = ("title", "email", "country", "city")

    def make(self, data: dict[str, Any]) -> Customer:
        """POST."""
        data.pop("version", None)
        return create_customer(tenant_of(self.request), data.pop("title"), **data)

    def change(self, found: Customer, data: dict[str, Any]) -> Customer:
        """PUT."""
        return update_customer(found, data.pop("title"), **data)

    def remove(self, found: Customer) -> None:
        """DELETE."""
        delete_customer(found)
