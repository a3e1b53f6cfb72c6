"""/api/dashboard*: dashboards themselves (compat/rest.tsv, DashboardController)."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from dashboards.api.shapes import dashboard_fields, dashboard_json
from dashboards.models import Dashboard
from dashboards.services.dashboards import create_dashboard, delete_dashboard, update_dashboard
from dashboards.services.documents import info_json
from tenants.permissions import InTenant, SignedIn, TenantAdmin, callers_tenant
from thingsboard.kernel.api import View, id_of, path_uuid, version_of
from thingsboard.kernel.entities import Action, not_found
from thingsboard.kernel.errors import Forbidden
from thingsboard.kernel.ids import EntityType
from thingsboard.kernel.time import now_ms

MOST_DATAPOINTS = 50_000  # that ThingsBoard's widgets may ask for at once; a history has bounds of its own


def visible_dashboard(request: Request, dashboard_id: str, action: Action = Action.VIEW) -> Any:
    """The dashboard of a path, whole. Raises NotFound for what the caller does not see, Forbidden for what it must not do."""
    key = path_uuid(dashboard_id)
    rows = Dashboard.objects.visible_to(request.user, action).filter(pk=key)
    found = rows.whole().with_customers(request.user).first()
    if found is None:
        if action is not Action.VIEW and Dashboard.objects.visible_to(request.user).filter(pk=key).exists():
            raise Forbidden
        raise not_found(EntityType.DASHBOARD, key)
    return found


def answer(request: Request, dashboard: Dashboard) -> Response:
    """A Dashboard as it is now."""
    return Response(dashboard_json(visible_dashboard(request, str(dashboard.pk))))


class Dashboards(View):
    """POST /api/dashboard"""

    permission_classes = [TenantAdmin]

    def post(self, request: Request) -> Response:
        """Create, or replace where the body has an id."""
        body = self.body(request)
        key, fields = id_of(body, "id", EntityType.DASHBOARD), dashboard_fields(body)
        if key is None:
            return answer(request, create_dashboard(callers_tenant(request), fields))
        found = visible_dashboard(request, str(key), Action.MANAGE)
        return answer(request, update_dashboard(found, fields, version=version_of(body)))


class OneDashboard(View):
    """/api/dashboard/{id}"""

    permission_classes = [InTenant]

    def get(self, request: Request, dashboard_id: str) -> Response:
        """A Dashboard."""
        return Response(dashboard_json(visible_dashboard(request, dashboard_id)))

    def delete(self, request: Request, dashboard_id: str) -> Response:
        """Delete it; tenant administrators only."""
        delete_dashboard(visible_dashboard(request, dashboard_id, Action.MANAGE))
        return Response()


class OneDashboardInfo(View):
    """/api/dashboard/info/{id}"""

    permission_classes = [SignedIn]

    def get(self, request: Request, dashboard_id: str) -> Response:
        """A DashboardInfo."""
        return Response(info_json(visible_dashboard(request, dashboard_id)))


class ServerTime(View):
    """/api/dashboard/serverTime"""

    permission_classes = [SignedIn]

    def get(self, request: Request) -> Response:
        """The time in ms."""
        return Response(now_ms())


class MaxDatapointsLimit(View):
    """/api/dashboard/maxDatapointsLimit"""

    permission_classes = [SignedIn]

    def get(self, request: Request) -> Response:
        """A number."""
        return Response(MOST_DATAPOINTS)
