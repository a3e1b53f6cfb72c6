"""Routes under /api/."""

from django.urls import path

from dashboards.api import assignments, dashboards, home, lists
from dashboards.api.urls_v1 import router
from thingsboard.kernel.shared_paths import Theirs, also_under_api

urlpatterns = [
    path("dashboard", dashboards.Dashboards.as_view()),
    path("dashboard/serverTime", dashboards.ServerTime.as_view()),
    path("dashboard/maxDatapointsLimit", dashboards.MaxDatapointsLimit.as_view()),
    path("dashboard/home", home.HomeDashboard.as_view()),
    path("dashboard/home/info", home.HomeDashboardInfo.as_view()),
    path("dashboard/info/<str:dashboard_id>", dashboards.OneDashboardInfo.as_view()),
    path("dashboard/<str:dashboard_id>", dashboards.OneDashboard.as_view()),
    path("dashboard/<str:dashboard_id>/customers", assignments.Customers.as_view()),
    path("dashboard/<str:dashboard_id>/customers/add", assignments.AddCustomers.as_view()),
    path("dashboard/<str:dashboard_id>/customers/remove", assignments.RemoveCustomers.as_view()),
    path("dashboards/list", lists.DashboardsByIds.as_view()),
    path("tenant/dashboard/home/info", home.TenantHome.as_view()),
    path("tenant/dashboards", lists.TenantDashboards.as_view()),
    path("tenant/<str:tenant_id>/dashboards", lists.DashboardsOfTenant.as_view()),
    path("customer/public/dashboard/<str:dashboard_id>", assignments.PublicAssignment.as_view()),
    path("customer/<str:customer_id>/dashboard/<str:dashboard_id>", assignments.Assignment.as_view()),
    path("customer/<str:customer_id>/dashboards", lists.CustomerDashboards.as_view()),
]

urlpatterns += also_under_api(router.urls, {"dashboards": Theirs(lists.DashboardsByIds.as_view(), "dashboardIds")})
