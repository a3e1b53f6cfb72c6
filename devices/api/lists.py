"""Lists of devices: of the tenant, of a customer, of ids (compat/rest.tsv, DeviceController)."""

from rest_framework.request import Request
from rest_framework.response import Response

from devices.api.devices import visible_devices
from devices.api.profiles import visible_profile
from devices.api.shapes import device_info_json
from devices.models import DeviceProfile
from devices.querysets import DeviceQuerySet
from devices.services.documents import device_json
from tenants.api.customers import visible_customer
from tenants.permissions import InTenant, TenantAdmin, callers_tenant
from thingsboard.kernel.api import Query, View, ids_of, path_uuid
from thingsboard.kernel.errors import BadRequest, NotFound
from thingsboard.kernel.ids import EntityId, EntityType
from thingsboard.kernel.paging import PageLink

MOST_TYPES = 10_000  # ThingsBoard does not page them
SORTABLE = {"createdTime": "created_time", "name": "name", "type": "profile__name", "label": "label"}
SORTABLE_INFO = {
    **SORTABLE,
    "deviceProfileName": "profile__name",
    "customerTitle": "customer__title",
    "active": "active",
}
PACKAGES = {"FIRMWARE": "firmware_id__isnull", "SOFTWARE": "software_id__isnull"}
SEARCHED = ("name", "label", "profile__name")


class TenantDevices(View):
    """/api/tenant/devices: a page, or the device of `?deviceName=`."""

    permission_classes = [TenantAdmin]

    def get(self, request: Request) -> Response:
        """PageData<Device>, or a Device."""
        query = Query(request)
        if "deviceName" in query:
            return _device_called(request, query["deviceName"])
        return _page(query, visible_devices(request.user))


class DeviceOfName(View):
    """/api/tenant/device?deviceName="""

    permission_classes = [TenantAdmin]

    def get(self, request: Request) -> Response:
        """A Device."""
        name = Query(request).get("deviceName")
        if not name:
            raise BadRequest("Required request parameter 'deviceName' is not present")
        return _device_called(request, name)


class TenantDeviceInfos(View):
    """/api/tenant/deviceInfos"""

    permission_classes = [TenantAdmin]

    def get(self, request: Request) -> Response:
        """PageData<DeviceInfo>."""
        return _info_page(Query(request), visible_devices(request.user))


class CustomerDevices(View):
    """/api/customer/{id}/devices"""

    permission_classes = [InTenant]

    def get(self, request: Request, customer_id: str) -> Response:
        """PageData<Device>, of a customer that the caller sees."""
        return _page(Query(request), _of_customer(request, customer_id))


class CustomerDeviceInfos(View):
    """/api/customer/{id}/deviceInfos"""

    permission_classes = [InTenant]

    def get(self, request: Request, customer_id: str) -> Response:
        """PageData<DeviceInfo>."""
        return _info_page(Query(request), _of_customer(request, customer_id))


class DevicesOfIds(View):
    """/api/devices?deviceIds= and /api/devices/list?deviceIds="""

    permission_classes = [InTenant]

    def get(self, request: Request) -> Response:
        """List<Device>; what the caller does not see is left out."""
        rows = visible_devices(request.user).filter(pk__in=ids_of(Query(request), "deviceIds"))
        return Response([device_json(device) for device in rows])


class DeviceTypes(View):
    """/api/device/types"""

    permission_classes = [InTenant]

    def get(self, request: Request) -> Response:
        """List<EntitySubtype>: the names of the tenant's profiles."""
        tenant = EntityId(EntityType.TENANT, callers_tenant(request)).to_json()
        profiles = DeviceProfile.objects.visible_to(request.user).order_by("name")
        names = profiles.values_list("name", flat=True)[:MOST_TYPES]
        return Response([{"tenantId": tenant, "entityType": "DEVICE", "type": name} for name in names])


class WithoutPackage(View):
    """/api/devices/count/{otaPackageType}/{deviceProfileId}"""

    permission_classes = [InTenant]

    def get(self, request: Request, package: str, profile_id: str) -> Response:
        """How many devices of the profile have no firmware, or no software, of their own. Raises BadRequest."""
        if package not in PACKAGES:
            raise BadRequest(f"Unknown otaPackageType '{package[:40]}'; expected {' or '.join(PACKAGES)}")
        devices = visible_devices(request.user).of_profile(visible_profile(request, profile_id))
        return Response(devices.filter(**{PACKAGES[package]: True}).count())


def _of_customer(request: Request, customer_id: str) -> DeviceQuerySet:
    customer = visible_customer(request, customer_id)
    return visible_devices(request.user).filter(customer_id=customer.pk)


def _device_called(request: Request, name: str) -> Response:
    device = visible_devices(request.user).filter(name=name).first()
    if device is None:
        raise NotFound("Requested item wasn't found!")
    return Response(device_json(device))


def _page(query: Query, rows: DeviceQuerySet) -> Response:
    page = PageLink.of(query, sortable=SORTABLE)
    return Response(page.apply(_filtered(rows, query), search=SEARCHED, to_json=device_json))


def _info_page(query: Query, rows: DeviceQuerySet) -> Response:
    rows = _filtered(rows.with_activity(), query)
    if "active" in query:
        rows = rows.filter(active=query.flag("active"))
    page = PageLink.of(query, sortable=SORTABLE_INFO)
    return Response(page.apply(rows, search=(*SEARCHED, "customer__title"), to_json=device_info_json))


def _filtered(rows: DeviceQuerySet, query: Query) -> DeviceQuerySet:
    """By `type` (the profile's name) and `deviceProfileId`."""
    if "type" in query:
        rows = rows.filter(profile__name=query["type"])
    if "deviceProfileId" in query:
        rows = rows.filter(profile_id=path_uuid(query["deviceProfileId"]))
    return rows
