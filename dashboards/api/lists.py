"""Pages and lists of dashboards (compat/rest.tsv, DashboardController)."""

from dataclasses import replace
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from dashboards.models import Dashboard
from dashboards.services.documents import info_json
from tenants.api.customers import visible_customer
from tenants.models import Tenant
from tenants.permissions import InTenant, SystemAdmin, TenantAdmin
from thingsboard.kernel.api import Query, View, ids_of, path_uuid
from thingsboard.kernel.entities import not_found
from thingsboard.kernel.ids import EntityType
from thingsboard.kernel.paging import PageLink

SORTABLE = {"createdTime": "created_time", "title": "title", "name": "title"}
SEARCHED = ("title",)


class TenantDashboards(View):
    """/api/tenant/dashboards"""

    permission_classes = [TenantAdmin]

    def get(self, request: Request) -> Response:
        """PageData<DashboardInfo>; `mobile=true`: those of mobile applications in their own order."""
        return _page(request, Dashboard.objects.visible_to(request.user))


class DashboardsOfTenant(View):
    """/api/tenant/{tenantId}/dashboards"""

    permission_classes = [SystemAdmin]

    def get(self, request: Request, tenant_id: str) -> Response:
        """PageData<DashboardInfo> for system administrators, who see the titles here, and no dashboard."""
        key = path_uuid(tenant_id)
        if not Tenant.objects.visible_to(request.user).filter(pk=key).exists():
            raise not_found(EntityType.TENANT, key)
        return _page(request, Dashboard.objects.filter(tenant_id=key))


class CustomerDashboards(View):
    """/api/customer/{customerId}/dashboards"""

    permission_classes = [InTenant]

    def get(self, request: Request, customer_id: str) -> Response:
        """PageData<DashboardInfo> of what is assigned to a customer."""
        customer = visible_customer(request, customer_id)
        return _page(request, Dashboard.objects.visible_to(request.user).filter(customers=customer))


class DashboardsByIds(View):
    """/api/dashboards and /api/dashboards/list: `?dashboardIds=`"""

    permission_classes = [InTenant]

    def get(self, request: Request) -> Response:
        """List<DashboardInfo> of those that the caller sees, in the order of the ids."""
        keys = ids_of(Query(request), "dashboardIds")
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
