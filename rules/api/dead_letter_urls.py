"""Routes of dead letters under /api/v1/."""

from django.urls import path

from rules.api.dead_letters import DeadLetters

urlpatterns = [
    path("deadLetters", DeadLetters.as_view({"get": "list"})),
    path("deadLetters/retry", DeadLetters.as_view({"post": "retry_all"})),
    path("deadLetters/drop", DeadLetters.as_view({"post": "drop_all"})),
    path("deadLetters/<str:pk>", DeadLetters.as_view({"get": "retrieve", "delete": "destroy"})),
    path("deadLetters/<str:pk>/retry", DeadLetters.as_view({"post": "retry"})),
]
