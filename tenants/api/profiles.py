"""/api/tenantProfile*: ThingsBoard's TenantProfileController (compat/rest.tsv)."""

from typing import Any

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from tenants.models import TenantProfile
from tenants.permissions import SystemAdmin
from tenants.services.tenants import (
    create_profile,
    default_profile,
    delete_profile,
    set_default_profile,
    update_profile,
)
from thingsboard.kernel.api import Query, View, flag_of, id_of, ids_of, object_of, path_uuid, text_of, version_of
from thingsboard.kernel.entities import not_found
from thingsboard.kernel.ids import EntityId, EntityType
from thingsboard.kernel.paging import PageLink

LONGEST_DESCRIPTION = 16_384
_SORTABLE = {"createdTime": "created_time", "name": "name", "description": "description", "isDefault": "is_default"}


def profile_json(profile: TenantProfile) -> dict[str, Any]:
    """A TenantProfile."""
    return {
        **profile_info_json(profile),
        "createdTime": profile.created_time,
        "description": profile.description or None,
        "default": profile.is_default,
        "isolatedTbRuleEngine": profile.isolated_rule_engine,
        "profileData": profile.profile_data,
        "version": profile.version,
    }


def profile_info_json(profile: TenantProfile) -> dict[str, Any]:
    """An EntityInfo."""
    return {"id": EntityId(EntityType.TENANT_PROFILE, profile.pk).to_json(), "name": profile.name}


def visible_profile(request: Request, profile_id: str) -> TenantProfile:
    """The profile of a path. Raises NotFound, BadRequest for what is no UUID."""
    key = path_uuid(profile_id)
    found: TenantProfile | None = TenantProfile.objects.visible_to(request.user).filter(pk=key).first()
    if found is None:
        raise not_found(EntityType.TENANT_PROFILE, key)
    return found


class _ForSystem(View):
    permission_classes = [SystemAdmin]


class Profiles(_ForSystem):
    """POST /api/tenantProfile"""

    def post(self, request: Request) -> Response:
        """Create, or replace where the body has an id. Which one is the default, only /default says."""
        body = self.body(request)
        key = id_of(body, "id", EntityType.TENANT_PROFILE)
        fields = {
            "description": text_of(body, "description", longest=LONGEST_DESCRIPTION),
            "isolated_rule_engine": flag_of(body, "isolatedTbRuleEngine"),
            "profile_data": object_of(body, "profileData"),
        }
        name = text_of(body, "name")
        if key is None:
            return Response(profile_json(create_profile(name, **fields)))
        found = visible_profile(request, str(key))
        return Response(profile_json(update_profile(found, name, version=version_of(body), **fields)))


class OneProfile(_ForSystem):
    """/api/tenantProfile/{id}"""

    def get(self, request: Request, profile_id: str) -> Response:
        """A TenantProfile."""
        return Response(profile_json(visible_profile(request, profile_id)))

    def delete(self, request: Request, profile_id: str) -> Response:
        """Delete it, unless tenants have it or it is the default."""
        delete_profile(visible_profile(request, profile_id))
        return Response()


class DefaultProfile(_ForSystem):
    """POST /api/tenantProfile/{id}/default"""

    def post(self, request: Request, profile_id: str) -> Response:
        """Make it the default."""
        return Response(profile_json(set_default_profile(visible_profile(request, profile_id))))


class OneProfileInfo(_ForSystem):
    """/api/tenantProfileInfo/{id}"""

    def get(self, request: Request, profile_id: str) -> Response:
        """An EntityInfo."""
        return Response(profile_info_json(visible_profile(request, profile_id)))


class DefaultProfileInfo(_ForSystem):
    """/api/tenantProfileInfo/default"""

    def get(self, request: Request) -> Response:
        """An EntityInfo."""
        return Response(profile_info_json(default_profile()))


class ProfilePage(_ForSystem):
    """GET /api/tenantProfiles: a page, or those of `?ids=`."""

    def get(self, request: Request) -> Response:
        """PageData<TenantProfile>, or a list."""
        query = Query(request)
        return _named(request, query) if "ids" in query else _page(request, query, profile_json)


class ProfileList(_ForSystem):
    """/api/tenantProfiles/list?ids="""

    def get(self, request: Request) -> Response:
        """List<TenantProfile>."""
        return _named(request, Query(request))


class ProfileInfoPage(_ForSystem):
    """/api/tenantProfileInfos"""

    def get(self, request: Request) -> Response:
        """PageData<EntityInfo>."""
        return _page(request, Query(request), profile_info_json)


def _page(request: Request, query: Query, to_json: Any) -> Response:
    rows: QuerySet[TenantProfile] = TenantProfile.objects.visible_to(request.user)
    page = PageLink.of(query, sortable=_SORTABLE)
    return Response(page.apply(rows, search=("name", "description"), to_json=to_json))


def _named(request: Request, query: Query) -> Response:
    rows = TenantProfile.objects.visible_to(request.user).filter(pk__in=ids_of(query, "ids"))
    return Response([profile_json(row) for row in rows])
