"""Routes under /api/v1/."""

from django.urls import include, path

from telemetry.api.v1 import erasures

urlpatterns = [
    path("", include("telemetry.api.v1.telemetry_urls")),
    path("erasures", erasures.Erasures.as_view()),
]
