"""Routes of events under /api/."""

from django.urls import path

from rules.api import events

urlpatterns = [
    path("events/<str:entity_type>/<str:entity_id>", events.Events.as_view()),
    path("events/<str:entity_type>/<str:entity_id>/clear", events.Clearance.as_view()),
    path("events/<str:entity_type>/<str:entity_id>/<str:type>", events.EventsOfType.as_view()),
    path("ruleNode/<str:node_id>/debugIn", events.LastInput.as_view()),
]
