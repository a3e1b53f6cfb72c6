"""/api/deviceProfileInfo*."""

from rest_framework.request import Request
from rest_framework.response import Response

from devices.api.shapes import ids_of, profile_info_json
from devices.models import DeviceProfile
from devices.services.profiles import default_profile
from tenants.permissions import InTenant, caller, callers_tenant
from thingsboard.kernel.api import Query, View, path_uuid
from thingsboard.kernel.entities import not_found
from thingsboard.kernel.errors import BadRequest, Forbidden
from thingsboard.kernel.ids import EntityType
from thingsboard.kernel.paging import LARGEST_PAGE, PageLink

SORTABLE = {"createdTime": "created_time", "name": "name", "type": "type", "transportType": "transport_type"}


class ProfileInfos(View):
    """/api/deviceProfileInfos: a page, or those of `?deviceProfileIds=`."""

    permission_classes = [InTenant]

    def get(self, request: Request) -> Response:
        """PageData<DeviceProfileInfo>, or a list."""
        query, rows = Query(request), DeviceProfile.objects.visible_to(request.user)
        if "deviceProfileIds" in query:
            if caller(request).authority != "TENANT_ADMIN":
                raise Forbidden
            keys = ids_of(",".join(query.all("deviceProfileIds")))
            if len(keys) > LARGEST_PAGE:
                raise BadRequest(f"Too many ids: {len(keys)}; at most {LARGEST_PAGE} are answered at once")
            return Response([profile_info_json(profile) for profile in rows.filter(pk__in=keys)])
        if "transportType" in query:
            rows = rows.filter(transport_type=query["transportType"])
        page = PageLink.of(query, sortable=SORTABLE)
        return Response(page.apply(rows, search=("name",), to_json=profile_info_json))


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
        key = path_uuid(profile_id)
        profile = DeviceProfile.objects.visible_to(request.user).filter(pk=key).first()
        if profile is None:
            raise not_found(EntityType.DEVICE_PROFILE, key)
        return Response(profile_info_json(profile))
