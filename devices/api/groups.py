"""/api/v1/deviceGroups: groups of a tenant's devices, and with whom they are shared."""

from typing import Any

from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from devices.api.shares import Shares
from devices.models import Device, DeviceGroup
from devices.services.groups import (
    MOST_MEMBERS,
    add_devices,
    create_device_group,
    delete_device_group,
    remove_devices,
    update_device_group,
)
from tenants.permissions import InTenant, TenantAdmin, callers_tenant
from thingsboard.kernel.resources import ResourceViewSet
from thingsboard.kernel.serializers import JsonObject


class DeviceGroupSerializer(serializers.ModelSerializer[DeviceGroup]):
    """A group without its devices."""

    name = serializers.CharField(max_length=255)
    additional_info = JsonObject(required=False, allow_null=True)

    class Meta:
        model = DeviceGroup
        fields = ("id", "created_time", "tenant_id", "name", "additional_info", "version")
        read_only_fields = ("version",)


class DeviceMemberSerializer(serializers.ModelSerializer[Device]):
    """A device of the group."""

    type = serializers.CharField(source="profile.name")

    class Meta:
        model = Device
        fields = ("id", "name", "type", "label", "customer_id")
        read_only_fields = fields


class DeviceIdsSerializer(serializers.Serializer[Any]):
    """What to take in or out."""

    ids = serializers.ListField(child=serializers.UUIDField(), min_length=1, max_length=MOST_MEMBERS)


class DeviceGroups(Shares, ResourceViewSet):
    """Groups of devices: administrators make them, customer users see what is shared with them."""

    rows = DeviceGroup.objects.all()
    title = "Device group"
    serializer_class = DeviceGroupSerializer
    permission_classes = [InTenant]
    write_permissions = [TenantAdmin]

    def make(self, data: dict[str, Any]) -> DeviceGroup:
        """POST."""
        return create_device_group(
            callers_tenant(self.request), data["name"], additional_info=data.get("additional_info")
        )

    def change(self, found: DeviceGroup, data: dict[str, Any]) -> DeviceGroup:
        """PUT."""
        return update_device_group(found, data["name"], additional_info=data.get("additional_info"))

    def remove(self, found: DeviceGroup) -> None:
        """DELETE."""
        delete_device_group(found)

    @action(detail=True, filter_backends=[], serializer_class=DeviceMemberSerializer)
    def members(self, request: Request, pk: Any = None) -> Response:
        """The group's devices, by name."""
        page = self.paginate_queryset(self.get_object().members.select_related("profile").order_by("name"))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @action(detail=True, methods=["post"], url_path="members/add", serializer_class=DeviceIdsSerializer)
    def add(self, request: Request, pk: Any = None) -> Response:
        """Take the devices `ids` in: all or none."""
        add_devices(self.get_object(), self._validated()["ids"])
        return Response(status=204)

    @action(detail=True, methods=["post"], url_path="members/remove", serializer_class=DeviceIdsSerializer)
    def take_out(self, request: Request, pk: Any = None) -> Response:
        """Take the devices `ids` out; what is no member counts for nothing."""
        remove_devices(self.get_object(), self._validated()["ids"])
        return Response(status=204)
