"""/api/v1/tenants: the organisations of the installation."""

from typing import Any

from django_filters import rest_framework as filters
from rest_framework import serializers

from tenants.api.v1.contacts import CONTACT, CONTACT_BOUNDS
from tenants.models import Tenant, TenantProfile
from tenants.permissions import Administrator, SystemAdmin
from tenants.services.tenants import create_tenant, delete_tenant, update_tenant
from thingsboard.kernel.filters import CreatedBetween
from thingsboard.kernel.resources import ResourceViewSet
from thingsboard.kernel.serializers import EntitySerializer, JsonObject


class TenantSerializer(EntitySerializer):
    """A tenant; `name` is its title. Without a profile a new one gets the default, an old one keeps its own."""

    name = serializers.CharField(source="title", read_only=True)
    title = serializers.CharField(max_length=255)
    email = serializers.EmailField(max_length=255, required=False, allow_blank=True)
    tenant_profile_id = serializers.PrimaryKeyRelatedField(
        source="profile",
        queryset=TenantProfile.objects.all(),
        required=False,
        pk_field=serializers.UUIDField(),
    )
    tenant_profile_name = serializers.CharField(source="profile.name", read_only=True)
    isolated = serializers.BooleanField(source="profile.isolated_rule_engine", read_only=True)
    additional_info = JsonObject(required=False, allow_null=True)

    class Meta:
        model = Tenant
        fields = (
            "id", "created_time", "name", "title", "region", "tenant_profile_id", "tenant_profile_name", "isolated",
            *CONTACT, "additional_info", "version",
        )  # fmt: skip
        extra_kwargs = CONTACT_BOUNDS


class TenantFilter(CreatedBetween):
    """What may be asked for. The profile by its id, not by a choice of all: tenant administrators see this page, too."""

    tenant_profile_id = filters.UUIDFilter(field_name="profile_id")

    class Meta:
        model = Tenant
        fields = ("title", "region", "email", "country", "state", "city", "zip", "phone")


class Tenants(ResourceViewSet):
    """Tenants: system administrators keep them, a tenant administrator sees its own."""

    rows = Tenant.objects.select_related("profile")
    title = "Tenant"
    serializer_class = TenantSerializer
    filterset_class = TenantFilter
    permission_classes = [Administrator]
    write_permissions = [SystemAdmin]
    ordering_fields = ("created_time", "title", "region", "email", "country", "state", "city")
    search_fields = ("title", "region", "email", "country", "city")

    def make(self, data: dict[str, Any]) -> Tenant:
        """POST."""
        data.pop("version", None)
        return create_tenant(data.pop("title"), **data)

    def change(self, found: Tenant, data: dict[str, Any]) -> Tenant:
        """PUT."""
        return update_tenant(found, data.pop("title"), **data)

    def remove(self, found: Tenant) -> None:
        """DELETE."""
        delete_tenant(found)
