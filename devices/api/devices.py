"""/api/device*: one device at a time (compat/rest.tsv, DeviceController)."""

import uuid
from typing import Any

from django.db import transaction
from rest_framework.request import Request
from rest_framework.response import Response

from devices.api.shapes import device_fields, device_info_json, given_credentials
from devices.models import Device
from devices.querysets import DeviceQuerySet
from devices.services.credentials import Given, update_credentials
from devices.services.devices import create_device, delete_device, update_device
from devices.services.documents import device_json
from tenants.permissions import InTenant, caller, callers_tenant
from thingsboard.kernel.api import Query, View, id_of, path_uuid, version_of
from thingsboard.kernel.entities import Action, not_found
from thingsboard.kernel.errors import BadRequest, Forbidden
from thingsboard.kernel.ids import EntityType
from thingsboard.kernel.naming import Uniquify


def visible_devices(user: Any, action: Action = Action.VIEW) -> DeviceQuerySet:
    """The devices with which `user` may do this, with what their JSON needs."""
    return Device.objects.visible_to(user, action).select_related("profile", "customer")


def visible_device(user: Any, key: uuid.UUID, action: Action = Action.VIEW) -> Device:
    """One of them. Raises NotFound for what the user does not see, Forbidden for what it sees, but must not do."""
    device: Device | None = visible_devices(user, action).filter(pk=key).first()
    if device is None:
        if action is not Action.VIEW and visible_devices(user).filter(pk=key).exists():
            raise Forbidden
        raise not_found(EntityType.DEVICE, key)
    return device


def save(request: Request, body: dict[str, Any], credentials: Given) -> Device:
    """Create, or replace where the body has an id. Raises BadRequest, NotFound, Forbidden, VersionConflict.

    The body's tenantId and customerId count for nothing: who a device belongs to, assigning it says (assignments.py).
    """
    unique = Uniquify.of(Query(request))
    key = id_of(body, "id", EntityType.DEVICE)
    fields = device_fields(body)
    if key is not None:
        found = visible_device(request.user, key, Action.MANAGE)
        return update_device(found, fields, version=version_of(body), unique=unique)
    if caller(request).authority != "TENANT_ADMIN":
        raise Forbidden
    return create_device(callers_tenant(request), fields, credentials=credentials, unique=unique)


class Devices(View):
    """POST /api/device"""

    permission_classes = [InTenant]

    def post(self, request: Request) -> Response:
        """Create, or replace; `?accessToken=` is a new device's token."""
        token = Given("ACCESS_TOKEN", Query(request).get("accessToken", ""))
        return Response(device_json(save(request, self.body(request), token)))


class DeviceWithCredentials(View):
    """POST /api/device-with-credentials"""

    permission_classes = [InTenant]

    @transaction.atomic
    def post(self, request: Request) -> Response:
        """{"device": {...}, "credentials": {...}}: both or neither."""
        device, credentials = self.body(request).get("device"), self.body(request).get("credentials")
        if not isinstance(device, dict) or not isinstance(credentials, dict):
            raise BadRequest('Expected {"device": {...}, "credentials": {...}}')
        given = given_credentials(credentials)
        silent = not any(given)  # an existing device keeps its credentials then
        if not given.type:
            given = given._replace(type="ACCESS_TOKEN")
        saved = save(request, device, given)
        if id_of(device, "id", EntityType.DEVICE) is not None and not silent:
            update_credentials(saved, *given, version=version_of(credentials))
        return Response(device_json(saved))


class OneDevice(View):
    """/api/device/{id}"""

    permission_classes = [InTenant]

    def get(self, request: Request, device_id: str) -> Response:
        """A Device."""
        return Response(device_json(visible_device(request.user, path_uuid(device_id))))

    def delete(self, request: Request, device_id: str) -> Response:
        """Delete it; tenant administrators only."""
        if caller(request).authority != "TENANT_ADMIN":
            raise Forbidden
        delete_device(visible_device(request.user, path_uuid(device_id), Action.MANAGE))
        return Response()


class OneDeviceInfo(View):
    """/api/device/info/{id}"""

    permission_classes = [InTenant]

    def get(self, request: Request, device_id: str) -> Response:
        """A DeviceInfo."""
        key = path_uuid(device_id)
        device = visible_devices(request.user).with_activity().filter(pk=key).first()
        if device is None:
            raise not_found(EntityType.DEVICE, key)
        return Response(device_info_json(device))
