"""Every route of the web process."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularRedocView, SpectacularSwaggerView

from thingsboard.kernel.api import NoSuchPath
from thingsboard.kernel.api_root import ApiRoot

# /health/live and /health/ready are answered before any route: thingsboard.health.middleware.
urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/plugins/telemetry/", include("telemetry.api.urls")),
    path("setup/", include("tenants.pages.urls")),
    path("api/v1/", ApiRoot.as_view({"get": "list"})),
    path("api/v1/", include("tenants.api.urls_v1")),
    path("api/v1/", include("devices.api.urls_v1")),
    path("api/v1/", include("telemetry.api.urls_v1")),
    path("api/v1/", include("alarms.api.urls_v1")),
    path("api/v1/", include("dashboards.api.urls_v1")),
    path("api/v1/", include("rules.api.urls_v1")),
    path("api/v1/", include("rules.api.debug_urls_v1")),
    path("api/v1/schema", SpectacularAPIView.as_view(), name="schema"),
    path("swagger-ui", SpectacularSwaggerView.as_view(url_name="schema")),
    path("redoc", SpectacularRedocView.as_view(url_name="schema", template_name="thingsboard/redoc.html")),
    path("api/", include("telemetry.api.v1.telemetry_urls")),  # where ThingsBoard has nothing
    path("api/", include("devices.api.urls")),  # its tenant/devices comes before tenant/<any id>
    path("api/", include("alarms.api.urls")),
    path("api/", include("dashboards.api.urls")),
    path("api/", include("rules.api.urls")),
    path("api/", include("rules.api.debug_urls")),
    path("api/", include("tenants.api.urls")),
    path("api/<path:rest>", NoSuchPath.as_view()),
    path(
        "favicon.ico", RedirectView.as_view(url="/static/dashboards/icon.svg", http_method_names=["get", "head"])
    ),  # pages that name no icon: the admin, the API
    path("", include("dashboards.pages.urls")),
]

handler404 = "dashboards.pages.page.missing"
