"""/api/v1/devices: devices, with their credentials, their customer and with whom they are shared below."""

from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response

from devices.api.shares import Shares
from devices.api.v1.shapes import AssignmentSerializer, CredentialsSerializer, DeviceSerializer
from devices.models import CredentialsType, Device, DeviceCredentials
from devices.services.assignments import assign, unassign
from devices.services.credentials import Given, update_credentials
from devices.services.devices import DeviceFields, create_device, delete_device, update_device
from tenants.models import Customer
from tenants.permissions import InTenant, TenantAdmin, callers_tenant
from thingsboard.kernel.entities import not_found
from thingsboard.kernel.errors import BadRequest
from thingsboard.kernel.filters import CreatedBetween, FlagFilter
from thingsboard.kernel.ids import EntityType
from thingsboard.kernel.resources import ResourceViewSet


class DeviceFilter(CreatedBetween):
    """What may be asked for; `type` is the profile's name."""

    type = filters.CharFilter(field_name="profile__name")
    device_profile_id = filters.UUIDFilter(field_name="profile_id")
    customer_id = filters.UUIDFilter()
    assigned = FlagFilter(field_name="customer", lookup_expr="isnull", exclude=True)
    group_id = filters.UUIDFilter(field_name="groups__pk")
    active = FlagFilter()

    class Meta:
        model = Device
        fields = ("name", "label", "external_id")


class Devices(Shares, ResourceViewSet):
    """Devices: administrators make and delete them; whose they are, may change them."""

    rows = Device.objects.select_related("profile")
    title = "Device"
    serializer_class = DeviceSerializer
    filterset_class = DeviceFilter
    permission_classes = [InTenant]
    ordering_fields = ("created_time", "name", "label", "type", "active")
    ordering_columns = {"type": "profile__name"}
    search_fields = ("name", "label", "profile__name")

    def get_permissions(self) -> list[Any]:
        """Whose a device is, replaces what it says of itself; everything else is the administrators' to write."""
        if self.request.method in SAFE_METHODS or self.action == "update":
            return super().get_permissions()
        return [TenantAdmin()]

    def get_queryset(self) -> QuerySet[Device]:
        """With whether they are active."""
        rows: Any = super().get_queryset()
        return rows.with_activity()  # type: ignore[no-any-return]

    def make(self, data: dict[str, Any]) -> Device:
        """POST."""
        given = Given(CredentialsType.ACCESS_TOKEN)
        if "credentials" in data:
            given = _given(data.pop("credentials"))
        data.pop("version", None)
        return create_device(callers_tenant(self.request), DeviceFields(**data), credentials=given)

    def change(self, found: Device, data: dict[str, Any]) -> Device:
        """PUT."""
        if "credentials" in data:
            raise BadRequest("credentials: they are replaced at /credentials below the device")
        version = data.pop("version", None)
        return update_device(found, DeviceFields(**data), version=version)

    def remove(self, found: Device) -> None:
        """DELETE."""
        delete_device(found)

    @extend_schema(responses=CredentialsSerializer)
    @action(detail=True, methods=["get", "put"], serializer_class=CredentialsSerializer)
    def credentials(self, request: Request, pk: Any = None) -> Response:
        """GET: in the clear, for whose device it is. PUT: others; the device is disconnected."""
        device = self.get_object()
        if request.method == "PUT":
            data = self._validated()
            return Response(_told(update_credentials(device, *_given(data), version=data.get("version"))))
        found = DeviceCredentials.objects.visible_to(request.user).filter(device_id=device.pk).first()
        if found is None:
            raise not_found(EntityType.DEVICE, device.pk)
        return Response(_told(found))

    @extend_schema(responses=DeviceSerializer)
    @action(
        detail=True, methods=["put", "delete"], serializer_class=AssignmentSerializer, permission_classes=[TenantAdmin]
    )
    def customer(self, request: Request, pk: Any = None) -> Response:
        """PUT: assign it to a customer. DELETE: take it from its customer."""
        device = self.get_object()
        if request.method == "DELETE":
            unassign(device)
            return Response(status=204)
        key = self._validated()["customer_id"]
        customer = Customer.objects.visible_to(request.user).filter(pk=key).first()
        if customer is None:
            raise BadRequest(f"There is no such customer: {key}")
        assign(device, customer)
        return Response(DeviceSerializer(self.get_queryset().get(pk=device.pk)).data)

    def _read(self, row: Any) -> Any:
        return DeviceSerializer(self.rows.all().with_activity().get(pk=row.pk)).data


def _given(data: dict[str, Any]) -> Given:
    return Given(data["credentials_type"], data.get("credentials_id", ""), data.get("credentials_value") or "")


def _told(credentials: DeviceCredentials) -> dict[str, Any]:
    return dict(CredentialsSerializer(credentials).data)
