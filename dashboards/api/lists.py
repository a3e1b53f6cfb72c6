"""Pages and lists of dashboards (compat/rest.tsv, DashboardController)."""

from dataclasses import replace
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from dashboards.api.shapes import info_json
from dashboards.models import Dashboard
from tenants.models import Customer, Tenant
from tenants.permissions import InTenant, SignedIn, TenantAdmin
from thingsboard.kernel.api import Query, View, path_uuid
from thingsboard.kernel.entities import not_found
from thingsboard.kernel.errors import BadRequest, Forbidden
from thingsboard.kernel.ids import EntityType
from thingsboard.kernel.paging import PageLink

SORTABLE = {"createdTime": "created_time", "title": "title", "name": "title"}
SEARCHED = ("title",)
MOST_IDS = 1000


class TenantDashboards(View):
    """/api/tenant/dashboards"""

    permission_classes = [TenantAdmin]

    def get(self, request: Request) -> Response:
        """PageData<DashboardInfo>; `mobile=true`: those of mobile applications in their own order."""
        return _page(request, Dashboard.objects.visible_to(request.user))


class DashboardsOfTenant(View):
    """/api/tenant/{tenantId}/dashboards"""

    permission_classes = [SignedIn]

    def get(self, request: Request, tenant_id: str) -> Response:
        """PageData<DashboardInfo> for system administrators, who see the titles here, and no dashboard."""
        key = path_uuid(tenant_id)
        if getattr(request.user, "authority", "") != "SYS_ADMIN":
            raise Forbidden
        if not Tenant.objects.visible_to(request.user).filter(pk=key).exists():
            raise not_found(EntityType.TENANT, key)
        return _page(request, Dashboard.objects.filter(tenant_id=key))


class CustomerDashboards(View):
    """/api/customer/{customerId}/dashboards"""

    permission_classes = [InTenant]

    def get(self, request: Request, customer_id: str) -> Response:
        """PageData<DashboardInfo> of what is assigned to a customer."""
        key = path_uuid(customer_id)
        if not Customer.objects.visible_to(request.user).filter(pk=key).exists():
            raise not_found(EntityType.CUSTOMER, key)
        return _page(request, Dashboard.objects.visible_to(request.user).filter(customers=key))


class DashboardsByIds(View):
    """/api/dashboards and /api/dashboards/list: `?dashboardIds=`"""

    permission_classes = [InTenant]

    def get(self, request: Request) -> Response:
        """List<DashboardInfo> of those that the caller sees, in the order of the ids."""
        parts = [part.strip() for part in ",".join(Query(request).all("dashboardIds")).split(",")]
        keys = list(dict.fromkeys(path_uuid(part) for part in parts[: MOST_IDS + 1] if part))
        if not keys:
            raise BadRequest("Required request parameter 'dashboardIds' is not present")
        if len(keys) > MOST_IDS:
            raise BadRequest(f"Too many ids in 'dashboardIds'; at most {MOST_IDS} are answered at once")
        rows = Dashboard.objects.visible_to(request.user).filter(pk__in=keys)
        found = {each.pk: each for each in rows.listed().with_customers(request.user)}
        return Response([info_json(found[key]) for key in keys if key in found])


def _page(request: Request, rows: Any) -> Response:
    query = Query(request)
    link = PageLink.of(query, sortable=SORTABLE)
    if query.flag("mobile"):
        rows = rows.for_mobile()
        if "sortProperty" not in query:
            link = replace(link, sort="mobile_order", descending=False)
    rows = rows.listed().with_customers(request.user)
    return Response(link.apply(rows, search=SEARCHED, to_json=info_json))
