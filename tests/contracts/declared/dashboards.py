"""Dashboards, and to whom they are assigned."""

from typing import TYPE_CHECKING

from dashboards.models import Dashboard
from dashboards.services.dashboards import DashboardFields, assign_dashboard, create_dashboard
from tests.contracts.contract import Kind, Kinds, Routes, by
from thingsboard.kernel.ids import new_id

if TYPE_CHECKING:
    from tests.contracts.world import World

_PAGE = "pageSize=100&page=0"
_CONFIGURATION = {"widgets": {}, "entityAliases": {}}
_DASHBOARD = {
    "title": "New",
    "image": "data:,x",
    "mobileHide": False,
    "mobileOrder": 1,
    "configuration": _CONFIGURATION,
    "externalId": {"entityType": "DASHBOARD", "id": str(new_id())},
}
_RESOURCE = {"title": "New", "image": "x", "mobile_hide": True, "mobile_order": 1, "configuration": _CONFIGURATION}
_HOME = {"dashboardId": {"entityType": "DASHBOARD", "id": "{dashboard}"}, "hideDashboardToolbar": True}
_CUSTOMERS = {"ids": ["{customer}"]}

ROUTES: Routes = {
    "api/customer/<customer_id>/dashboard/<dashboard_id>": {"POST": by("T"), "DELETE": by("T")},
    "api/customer/<customer_id>/dashboards": {"GET": by("TC", query=_PAGE)},
    "api/customer/public/dashboard/<dashboard_id>": {"POST": by("T"), "DELETE": by("T")},
    "api/dashboard": {"POST": by("T", body=_DASHBOARD, saves="dashboard")},
    "api/dashboard/<dashboard_id>": {"GET": by("TC"), "DELETE": by("T")},
    # Their bodies are arrays of ids (tests/dashboards/test_dashboard_assignments.py).
    "api/dashboard/<dashboard_id>/customers": {"POST": by("T")},
    "api/dashboard/<dashboard_id>/customers/add": {"POST": by("T")},
    "api/dashboard/<dashboard_id>/customers/remove": {"POST": by("T")},
    # 404: system administrators have no dashboards, though ThingsBoard lets them ask
    "api/dashboard/info/<dashboard_id>": {"GET": by("STC", answers={"S": 404})},
    "api/dashboard/home": {"GET": by("STC")},
    "api/dashboard/home/info": {"GET": by("STC")},
    "api/dashboard/maxDatapointsLimit": {"GET": by("STC")},
    "api/dashboard/serverTime": {"GET": by("STC")},
    "api/dashboards": {"GET": by("TC", query="dashboardIds={dashboard}")},
    "api/dashboards/list": {"GET": by("TC", query="dashboardIds={dashboard}")},
    "api/tenant/<tenant_id>/dashboards": {"GET": by("S", query=_PAGE)},
    "api/tenant/dashboard/home/info": {"GET": by("T"), "POST": by("T", body=_HOME)},
    "api/tenant/dashboards": {"GET": by("T", query=_PAGE)},
    "api/v1/dashboards": {"GET": by("TC"), "POST": by("T", body=_RESOURCE)},
    "api/v1/dashboards/<pk>": {
        "GET": by("TC"),
        "PUT": by("T", body={"title": "New", "configuration": _CONFIGURATION, "version": 1}),
        "DELETE": by("T"),
    },
    "api/v1/dashboards/<pk>/customers": {"GET": by("T"), "PUT": by("T", body=_CUSTOMERS)},
    "api/v1/dashboards/<pk>/customers/add": {"POST": by("T", body=_CUSTOMERS)},
    "api/v1/dashboards/<pk>/customers/remove": {"POST": by("T", body=_CUSTOMERS)},
}


def _own(world: "World", authority: str) -> object:
    """One that is assigned to the customer of the world."""
    found = Dashboard.objects.filter(tenant=world.cast.acme, title="Own").first()
    made = found or create_dashboard(world.cast.acme.pk, DashboardFields(title="Own"))
    return assign_dashboard(made, world.cast.bistro).pk


def _further(world: "World", n: int) -> None:
    made = create_dashboard(world.cast.acme.pk, DashboardFields(title=f"Further {n}", configuration={"n": n}))
    assign_dashboard(made, world.cast.bistro)


KINDS: Kinds = {
    "dashboard": Kind(
        named=("dashboard_id", "dashboards"),
        own=_own,
        foreign=lambda world, _: create_dashboard(world.cast.globex.pk, DashboardFields(title="Foreign")).pk,
        more=_further,
    ),
}
