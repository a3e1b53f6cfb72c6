"""/api/deviceProfile*: ThingsBoard's DeviceProfileController (compat/rest.tsv)."""

from typing import Any

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from devices.api.shapes import LONGEST_NAME, profile_fields
from devices.models import Device, DeviceProfile
from devices.services.documents import profile_info_json, profile_json
from devices.services.profiles import (
    create_profile,
    default_profile,
    delete_profile,
    set_default_profile,
    update_profile,
)
from telemetry.models import AttributeKv, Key, TsLatest
from tenants.permissions import InTenant, TenantAdmin, caller, callers_tenant
from thingsboard.kernel.api import Query, View, id_of, ids_of, path_uuid, text_of, version_of
from thingsboard.kernel.entities import not_found
from thingsboard.kernel.errors import Forbidden
from thingsboard.kernel.ids import EntityId, EntityType
from thingsboard.kernel.paging import PageLink

SORTABLE_INFO = {"createdTime": "created_time", "name": "name", "type": "type", "transportType": "transport_type"}
SORTABLE = {**SORTABLE_INFO, "description": "description", "isDefault": "is_default"}
MOST_NAMES = 10_000  # ThingsBoard does not page names and keys
NEWEST_DEVICES = 1_000  # in which keys are looked for


def visible_profile(request: Request, profile_id: str) -> DeviceProfile:
    """The profile of a path. Raises NotFound, BadRequest for what is no UUID."""
    key = path_uuid(profile_id)
    found: DeviceProfile | None = DeviceProfile.objects.visible_to(request.user).filter(pk=key).first()
    if found is None:
        raise not_found(EntityType.DEVICE_PROFILE, key)
    return found


class Profiles(View):
    """POST /api/deviceProfile"""

    permission_classes = [TenantAdmin]

    def post(self, request: Request) -> Response:
        """Create, or replace where the body has an id. Which one is the default, only /default says."""
        body = self.body(request)
        key = id_of(body, "id", EntityType.DEVICE_PROFILE)
        name, fields = text_of(body, "name", longest=LONGEST_NAME), profile_fields(body)
        if key is None:
            return Response(profile_json(create_profile(callers_tenant(request), name, **fields)))
        found = visible_profile(request, str(key))
        return Response(profile_json(update_profile(found, name, version=version_of(body), **fields)))


class OneProfile(View):
    """/api/deviceProfile/{id}"""

    permission_classes = [TenantAdmin]

    def get(self, request: Request, profile_id: str) -> Response:
        """A DeviceProfile."""
        return Response(profile_json(visible_profile(request, profile_id)))

    def delete(self, request: Request, profile_id: str) -> Response:
        """Delete it, unless devices have it or it is the default."""
        delete_profile(visible_profile(request, profile_id))
        return Response()


class DefaultProfile(View):
    """POST /api/deviceProfile/{id}/default"""

    permission_classes = [TenantAdmin]

    def post(self, request: Request, profile_id: str) -> Response:
        """Make it the default."""
        return Response(profile_json(set_default_profile(visible_profile(request, profile_id))))


class ProfilePage(View):
    """GET /api/deviceProfiles"""

    permission_classes = [TenantAdmin]

    def get(self, request: Request) -> Response:
        """PageData<DeviceProfile>."""
        rows: QuerySet[DeviceProfile] = DeviceProfile.objects.visible_to(request.user)
        page = PageLink.of(Query(request), sortable=SORTABLE)
        return Response(page.apply(rows, search=("name", "description"), to_json=profile_json))


class ProfileNames(View):
    """/api/deviceProfile/names"""

    permission_classes = [InTenant]

    def get(self, request: Request) -> Response:
        """List<EntityInfo>; with `activeOnly` of those only that devices have."""
        rows: QuerySet[DeviceProfile] = DeviceProfile.objects.visible_to(request.user).order_by("name")
        if Query(request).flag("activeOnly"):
            rows = rows.filter(pk__in=Device.objects.visible_to(request.user).values("profile_id"))
        named = rows.values_list("pk", "name")[:MOST_NAMES]
        return Response(
            [{"id": EntityId(EntityType.DEVICE_PROFILE, key).to_json(), "name": name} for key, name in named]
        )


class ProfileInfos(View):
    """/api/deviceProfileInfos: a page, or those of `?deviceProfileIds=`."""

    permission_classes = [InTenant]

    def get(self, request: Request) -> Response:
        """PageData<DeviceProfileInfo>, or a list."""
        query = Query(request)
        if "deviceProfileIds" in query:
            if caller(request).authority != "TENANT_ADMIN":
                raise Forbidden
            return _named(request, query)
        rows: QuerySet[DeviceProfile] = DeviceProfile.objects.visible_to(request.user)
        if "transportType" in query:
            rows = rows.filter(transport_type=query["transportType"])
        page = PageLink.of(query, sortable=SORTABLE_INFO)
        return Response(page.apply(rows, search=("name",), to_json=profile_info_json))


class ProfileInfoList(View):
    """/api/deviceProfileInfos/list?deviceProfileIds="""

    permission_classes = [TenantAdmin]

    def get(self, request: Request) -> Response:
        """List<DeviceProfileInfo>; what the caller does not see is left out."""
        return _named(request, Query(request))


class DefaultProfileInfo(View):
    """/api/deviceProfileInfo/default"""

    permission_classes = [InTenant]

    def get(self, request: Request) -> Response:
        """A DeviceProfileInfo."""
        return Response(profile_info_json(default_profile(callers_tenant(request))))


class OneProfileInfo(View):
    """/api/deviceProfileInfo/{id}"""

    permission_classes = [InTenant]

    def get(self, request: Request, profile_id: str) -> Response:
        """A DeviceProfileInfo."""
        return Response(profile_info_json(visible_profile(request, profile_id)))


class TimeseriesKeys(View):
    """/api/deviceProfile/devices/keys/timeseries"""

    permission_classes = [TenantAdmin]

    def get(self, request: Request) -> Response:
        """The names of series of the tenant's newest devices, or those of `deviceProfileId`."""
        return _keys(request, TsLatest)


class AttributeKeys(View):
    """/api/deviceProfile/devices/keys/attributes"""

    permission_classes = [TenantAdmin]

    def get(self, request: Request) -> Response:
        """The names of their attributes."""
        return _keys(request, AttributeKv)


def _keys(request: Request, model: Any) -> Response:
    query, devices = Query(request), Device.objects.visible_to(request.user)
    if "deviceProfileId" in query:
        devices = devices.of_profile(visible_profile(request, query["deviceProfileId"]))
    newest = list(devices.order_by("-created_time").values_list("pk", flat=True)[:NEWEST_DEVICES])
    used = model.objects.filter(entity_id__in=newest).values("key_id").distinct()
    return Response(list(Key.objects.filter(pk__in=used).order_by("name").values_list("name", flat=True)[:MOST_NAMES]))


def _named(request: Request, query: Query) -> Response:
    rows = DeviceProfile.objects.visible_to(request.user).filter(pk__in=ids_of(query, "deviceProfileIds"))
    return Response([profile_info_json(profile) for profile in rows])
