"""/api/customer/.../device/{id}: to whom a device is assigned (compat/rest.tsv, DeviceController)."""

from rest_framework.request import Request
from rest_framework.response import Response

from devices.api.devices import visible_device
from devices.models import Device
from devices.services.assignments import assign, publish, unassign
from devices.services.documents import device_json
from tenants.api.customers import visible_customer
from tenants.permissions import TenantAdmin
from thingsboard.kernel.api import View, path_uuid
from thingsboard.kernel.entities import Action


class Assignment(View):
    """POST /api/customer/{customerId}/device/{deviceId}"""

    permission_classes = [TenantAdmin]

    def post(self, request: Request, customer_id: str, device_id: str) -> Response:
        """Assign it; a Device."""
        customer = visible_customer(request, customer_id)
        return Response(device_json(assign(_device(request, device_id), customer)))


class PublicAssignment(View):
    """POST /api/customer/public/device/{deviceId}"""

    permission_classes = [TenantAdmin]

    def post(self, request: Request, device_id: str) -> Response:
        """Assign it to the public customer; a Device."""
        return Response(device_json(publish(_device(request, device_id))))


class NoAssignment(View):
    """DELETE /api/customer/device/{deviceId}"""

    permission_classes = [TenantAdmin]

    def delete(self, request: Request, device_id: str) -> Response:
        """Take it from its customer; a Device."""
        return Response(device_json(unassign(_device(request, device_id))))


def _device(request: Request, device_id: str) -> Device:
    return visible_device(request.user, path_uuid(device_id), Action.MANAGE)
