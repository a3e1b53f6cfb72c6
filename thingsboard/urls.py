"""Every route of the web process."""

from django.contrib import admin
from django.urls import include, path

from thingsboard.kernel.api import NoSuchPath

# /health/live and /health/ready are answered before any route: thingsboard.health.middleware.
urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/plugins/telemetry/", include("telemetry.api.urls")),
    path("api/", include("tenants.api.urls")),
    path("api/", include("devices.api.urls")),
    path("api/<path:rest>", NoSuchPath.as_view()),
]
