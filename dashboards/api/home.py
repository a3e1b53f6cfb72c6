"""Home dashboards (compat/data_model.md 3: HomeDashboard, HomeDashboardInfo)."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from dashboards.api.dashboards import visible_dashboard
from dashboards.api.shapes import dashboard_json
from dashboards.services.home import Home, home_of, home_of_tenant, set_home_of_tenant
from tenants.models import Tenant
from tenants.permissions import SignedIn, TenantAdmin, caller, callers_tenant
from thingsboard.kernel.api import View, id_of
from thingsboard.kernel.errors import BadRequest
from thingsboard.kernel.ids import EntityId, EntityType


class HomeDashboard(View):
    """GET /api/dashboard/home"""

    permission_classes = [SignedIn]

    def get(self, request: Request) -> Response:
        """A HomeDashboard; an empty body where there is none."""
        home = home_of(caller(request))
        if home is None:
            return Response()
        found = visible_dashboard(request, str(home.dashboard_id))
        return Response({**dashboard_json(found), "hideDashboardToolbar": home.hide_toolbar})


class HomeDashboardInfo(View):
    """GET /api/dashboard/home/info"""

    permission_classes = [SignedIn]

    def get(self, request: Request) -> Response:
        """A HomeDashboardInfo; an empty body where there is none."""
        home = home_of(caller(request))
        return Response() if home is None else Response(_json(home))


class TenantHome(View):
    """/api/tenant/dashboard/home/info"""

    permission_classes = [TenantAdmin]

    def get(self, request: Request) -> Response:
        """A HomeDashboardInfo, also where none is set."""
        return Response(_json(home_of_tenant(_tenant(request))))

    def post(self, request: Request) -> Response:
        """Set it; without a dashboard there is none from now on."""
        body = self.body(request)
        key, hide = id_of(body, "dashboardId", EntityType.DASHBOARD), body.get("hideDashboardToolbar")
        if hide is not None and not isinstance(hide, bool):
            raise BadRequest("hideDashboardToolbar: expected true or false")
        home = None if key is None else Home(key, hide is not False)
        set_home_of_tenant(_tenant(request), caller(request), home)
        return Response()


def _tenant(request: Request) -> Tenant:
    """Read anew: what a request knows of its user may be a second old."""
    return Tenant.objects.get(pk=callers_tenant(request))


def _json(home: Home | None) -> dict[str, Any]:
    if home is None:
        return {"dashboardId": None, "hideDashboardToolbar": True}
    key = EntityId(EntityType.DASHBOARD, home.dashboard_id).to_json()
    return {"dashboardId": key, "hideDashboardToolbar": home.hide_toolbar}
