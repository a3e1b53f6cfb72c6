"""/api/tenant*: ThingsBoard's TenantController (compat/rest.tsv). A tenant administrator reads its own tenant only."""

from typing import Any

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from tenants.api.contacts import contact_fields
from tenants.models import Tenant, TenantProfile
from tenants.permissions import Administrator, SystemAdmin, caller
from tenants.services.documents import contact_json
from tenants.services.tenants import create_tenant, delete_tenant, update_tenant
from thingsboard.kernel.api import Query, View, id_of, ids_of, object_of, path_uuid, text_of, version_of
from thingsboard.kernel.entities import not_found
from thingsboard.kernel.errors import BadRequest, Forbidden
from thingsboard.kernel.ids import EntityId, EntityType
from thingsboard.kernel.paging import PageLink

_SORTABLE = {name: name for name in ("title", "region", "email", "country", "state", "city", "address", "zip", "phone")}
_SORTABLE |= {"createdTime": "created_time", "name": "title"}
_SORTABLE_INFO = {**_SORTABLE, "tenantProfileName": "profile__name"}
_SEARCHED = ("title", "region", "email", "country", "city")


def tenant_json(tenant: Tenant) -> dict[str, Any]:
    """A Tenant."""
    return {
        "id": EntityId(EntityType.TENANT, tenant.pk).to_json(),
        "createdTime": tenant.created_time,
        "title": tenant.title,
        "name": tenant.title,
        "region": tenant.region or None,
        "tenantProfileId": EntityId(EntityType.TENANT_PROFILE, tenant.profile_id).to_json(),
        **contact_json(tenant),
        "additionalInfo": tenant.additional_info,
        "version": tenant.version,
    }


def tenant_info_json(tenant: Tenant) -> dict[str, Any]:
    """A TenantInfo."""
    return {**tenant_json(tenant), "tenantProfileName": tenant.profile.name}


def visible_tenant(request: Request, tenant_id: str) -> Tenant:
    """The tenant of a path. Raises NotFound, BadRequest for what is no UUID."""
    key = path_uuid(tenant_id)
    found: Tenant | None = Tenant.objects.visible_to(request.user).select_related("profile").filter(pk=key).first()
    if found is None:
        raise not_found(EntityType.TENANT, key)
    return found


class Tenants(View):
    """POST /api/tenant"""

    permission_classes = [SystemAdmin]

    def post(self, request: Request) -> Response:
        """Create, or replace where the body has an id."""
        body = self.body(request)
        key, profile_id = (
            id_of(body, "id", EntityType.TENANT),
            id_of(body, "tenantProfileId", EntityType.TENANT_PROFILE),
        )
        profile = None if profile_id is None else TenantProfile.objects.filter(pk=profile_id).first()
        if profile is None and profile_id is not None:
            raise BadRequest(f"Tenant is referencing to non existing tenant profile: [{profile_id}]")
        title = text_of(body, "title")
        fields = {
            **contact_fields(body),
            "region": text_of(body, "region"),
            "additional_info": object_of(body, "additionalInfo"),
        }
        if key is None:
            return Response(tenant_json(create_tenant(title, profile=profile, **fields)))
        found = visible_tenant(request, str(key))
        return Response(tenant_json(update_tenant(found, title, profile=profile, version=version_of(body), **fields)))


class OneTenant(View):
    """/api/tenant/{id}"""

    permission_classes = [Administrator]

    def get(self, request: Request, tenant_id: str) -> Response:
        """A Tenant."""
        return Response(tenant_json(visible_tenant(request, tenant_id)))

    def delete(self, request: Request, tenant_id: str) -> Response:
        """Delete it and all that it owns; system administrators only."""
        found = visible_tenant(request, tenant_id)
        if caller(request).authority != "SYS_ADMIN":
            raise Forbidden
        delete_tenant(found)
        return Response()


class OneTenantInfo(View):
    """/api/tenant/info/{id}"""

    permission_classes = [Administrator]

    def get(self, request: Request, tenant_id: str) -> Response:
        """A TenantInfo."""
        return Response(tenant_info_json(visible_tenant(request, tenant_id)))


class TenantPage(View):
    """GET /api/tenants: a page for system administrators, or those of `?tenantIds=`."""

    permission_classes = [Administrator]

    def get(self, request: Request) -> Response:
        """PageData<Tenant>, or a list."""
        query = Query(request)
        if "tenantIds" in query:
            return _named(request, query)
        if caller(request).authority != "SYS_ADMIN":
            raise Forbidden
        page = PageLink.of(query, sortable=_SORTABLE)
        rows: QuerySet[Tenant] = Tenant.objects.visible_to(request.user)
        return Response(page.apply(rows, search=_SEARCHED, to_json=tenant_json))


class TenantList(View):
    """/api/tenants/list?tenantIds="""

    permission_classes = [Administrator]

    def get(self, request: Request) -> Response:
        """List<Tenant>; what the caller does not see is left out."""
        return _named(request, Query(request))


class TenantInfoPage(View):
    """/api/tenantInfos"""

    permission_classes = [SystemAdmin]

    def get(self, request: Request) -> Response:
        """PageData<TenantInfo>."""
        page = PageLink.of(Query(request), sortable=_SORTABLE_INFO)
        rows = Tenant.objects.visible_to(request.user).select_related("profile")
        return Response(page.apply(rows, search=(*_SEARCHED, "profile__name"), to_json=tenant_info_json))


def _named(request: Request, query: Query) -> Response:
    rows = Tenant.objects.visible_to(request.user).filter(pk__in=ids_of(query, "tenantIds"))
    return Response([tenant_json(row) for row in rows])
