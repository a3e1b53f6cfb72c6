"""Routes under /api/plugins/telemetry/."""

from django.urls import path

from telemetry.api import attributes, timeseries

_ENTITY = "<str:kind>/<str:entity_id>"

urlpatterns = [
    path(f"{_ENTITY}/keys/timeseries", timeseries.Keys.as_view()),
    path(f"{_ENTITY}/keys/attributes", attributes.Keys.as_view()),
    path(f"{_ENTITY}/keys/attributes/<str:scope>", attributes.Keys.as_view()),
    path(f"{_ENTITY}/values/timeseries", timeseries.Values.as_view()),
    path(f"{_ENTITY}/values/timeseries/history", timeseries.History.as_view()),
    path(f"{_ENTITY}/values/attributes", attributes.Values.as_view()),
    path(f"{_ENTITY}/values/attributes/<str:scope>", attributes.Values.as_view()),
    path(f"{_ENTITY}/timeseries/delete", timeseries.Delete.as_view()),
    path(f"{_ENTITY}/timeseries/<str:scope>", timeseries.Write.as_view()),
    path(f"{_ENTITY}/timeseries/<str:scope>/<str:ttl>", timeseries.Write.as_view()),
    path(f"{_ENTITY}/attributes/<str:scope>", attributes.Write.as_view()),
    path(f"{_ENTITY}/<str:scope>", attributes.Write.as_view()),
    path("<str:entity_id>/<str:scope>", attributes.Write.as_view()),
]
