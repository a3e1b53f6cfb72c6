"""/api/device/{id}/credentials and /api/device/credentials."""

from rest_framework.request import Request
from rest_framework.response import Response

from devices.api.devices import visible_device
from devices.api.shapes import credentials_json, given_credentials
from devices.models import DeviceCredentials
from devices.services.credentials import update_credentials
from tenants.permissions import InTenant, TenantAdmin
from thingsboard.kernel.api import View, id_of, path_uuid, version_of
from thingsboard.kernel.entities import Action, not_found
from thingsboard.kernel.errors import BadRequest
from thingsboard.kernel.ids import EntityType


class CredentialsOfDevice(View):
    """/api/device/{id}/credentials"""

    permission_classes = [InTenant]

    def get(self, request: Request, device_id: str) -> Response:
        """DeviceCredentials, in the clear."""
        key = path_uuid(device_id)
        found = DeviceCredentials.objects.visible_to(request.user).filter(device_id=key).first()
        if found is None:
            raise not_found(EntityType.DEVICE, key)
        return Response(credentials_json(found))


class Credentials(View):
    """/api/device/credentials"""

    permission_classes = [TenantAdmin]

    def post(self, request: Request) -> Response:
        """Replace the credentials of `deviceId`."""
        body = self.body(request)
        key = id_of(body, "deviceId", EntityType.DEVICE)
        if key is None:
            raise BadRequest("Device credentials should be assigned to device!")
        device = visible_device(request.user, key, Action.MANAGE)
        saved = update_credentials(device, *given_credentials(body), version=version_of(body))
        return Response(credentials_json(saved))
