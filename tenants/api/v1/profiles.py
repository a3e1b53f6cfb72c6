"""/api/v1/tenantProfiles: limits that tenants share."""

from typing import Any

from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from tenants.api.profiles import LONGEST_DESCRIPTION
from tenants.models import TenantProfile
from tenants.permissions import SystemAdmin
from tenants.services.tenants import create_profile, delete_profile, set_default_profile, update_profile
from thingsboard.kernel.filters import CreatedBetween
from thingsboard.kernel.resources import ResourceViewSet
from thingsboard.kernel.serializers import EntitySerializer, JsonObject


class TenantProfileSerializer(EntitySerializer):
    """A tenant profile. Which one is the default, only `default` says."""

    name = serializers.CharField(max_length=255)
    profile_data = JsonObject(required=False)

    class Meta:
        model = TenantProfile
        fields = (
            "id", "created_time", "name", "description", "is_default", "isolated_rule_engine", "profile_data", "version",
        )  # fmt: skip
        read_only_fields = ("is_default",)
        extra_kwargs = {"description": {"max_length": LONGEST_DESCRIPTION}}


class TenantProfileFilter(CreatedBetween):
    """What may be asked for."""

    class Meta:
        model = TenantProfile
        fields = ("name", "is_default", "isolated_rule_engine")


class TenantProfiles(ResourceViewSet):
    """Tenant profiles, for system administrators."""

    rows = TenantProfile.objects.all()
    title = "Tenant profile"
    serializer_class = TenantProfileSerializer
    filterset_class = TenantProfileFilter
    permission_classes = [SystemAdmin]
    search_fields = ("name", "description")

    def make(self, data: dict[str, Any]) -> TenantProfile:
        """POST."""
        data.pop("version", None)
        return create_profile(data.pop("name"), **data)

    def change(self, found: TenantProfile, data: dict[str, Any]) -> TenantProfile:
        """PUT."""
        return update_profile(found, data.pop("name"), **data)

    def remove(self, found: TenantProfile) -> None:
        """DELETE."""
        delete_profile(found)

    @action(detail=True, methods=["post"], url_path="default")
    def make_default(self, request: Request, pk: Any = None) -> Response:
        """Make it the profile of tenants for which none is chosen."""
        return Response(self._read(set_default_profile(self.get_object())))
