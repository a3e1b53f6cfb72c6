"""/api/v1/deviceProfiles: what devices of one kind share."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from devices.api.v1.shapes import DeviceProfileInfoSerializer, DeviceProfileSerializer
from devices.models import DeviceProfile
from devices.services.profiles import create_profile, delete_profile, set_default_profile, update_profile
from tenants.permissions import InTenant, TenantAdmin, callers_tenant
from thingsboard.kernel.filters import CreatedBetween
from thingsboard.kernel.resources import ResourceViewSet


class DeviceProfileFilter(CreatedBetween):
    """What may be asked for."""

    class Meta:
        model = DeviceProfile
        fields = ("name", "is_default", "transport_type", "provision_type")


class DeviceProfiles(ResourceViewSet):
    """Device profiles: administrators keep them, customer users see what their devices' pages need."""

    rows = DeviceProfile.objects.all()
    title = "Device profile"
    serializer_class = DeviceProfileSerializer
    filterset_class = DeviceProfileFilter
    permission_classes = [InTenant]
    write_permissions = [TenantAdmin]
    ordering_fields = ("created_time", "name", "transport_type")
    search_fields = ("name", "description")

    def get_serializer_class(self) -> Any:
        """Customer users are not told the keys and secrets of provisioning."""
        if getattr(self.request.user, "authority", None) == "CUSTOMER_USER":
            return DeviceProfileInfoSerializer
        return super().get_serializer_class()

    def make(self, data: dict[str, Any]) -> DeviceProfile:
        """POST."""
        data.pop("version", None)
        return create_profile(callers_tenant(self.request), data.pop("name"), **data)

    def change(self, found: DeviceProfile, data: dict[str, Any]) -> DeviceProfile:
        """PUT."""
        return update_profile(found, data.pop("name"), **data)

    def remove(self, found: DeviceProfile) -> None:
        """DELETE."""
        delete_profile(found)

    @extend_schema(request=None, responses=DeviceProfileSerializer)
    @action(detail=True, methods=["post"], url_path="default")
    def make_default(self, request: Request, pk: Any = None) -> Response:
        """Make it the profile of devices for which none is chosen."""
        return Response(self._read(set_default_profile(self.get_object())))
