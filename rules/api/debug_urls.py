"""Routes of events and traces under /api/."""

from django.urls import path

from rules.api import events
from rules.api.debug_urls_v1 import router
from thingsboard.kernel.shared_paths import also_under_api

urlpatterns = [
    path("events/<str:entity_type>/<str:entity_id>", events.Events.as_view()),
    path("events/<str:entity_type>/<str:entity_id>/clear", events.Clearance.as_view()),
    path("events/<str:entity_type>/<str:entity_id>/<str:type>", events.EventsOfType.as_view()),
    path("ruleNode/<str:node_id>/debugIn", events.LastInput.as_view()),
]

urlpatterns += also_under_api(router.urls, {})
