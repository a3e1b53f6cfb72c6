"""Routes of telemetry under /api/v1/, and under /api/, where ThingsBoard has none of that name."""

from django.urls import path

from telemetry.api.v1 import attributes, timeseries

_ENTITY = "telemetry/<str:entity_type>/<str:entity_id>"

urlpatterns = [
    path(f"{_ENTITY}/keys/timeseries", timeseries.Keys.as_view()),
    path(f"{_ENTITY}/values/timeseries", timeseries.Values.as_view()),
    path(f"{_ENTITY}/timeseries", timeseries.Series.as_view()),
    path(f"{_ENTITY}/timeseries/<str:scope>", timeseries.Series.as_view()),
    path(f"{_ENTITY}/attributes", attributes.Attributes.as_view()),
    path(f"{_ENTITY}/attributes/<str:scope>", attributes.Attributes.as_view()),
]
