"""Routes under /api/v1/."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from rules.api.v1 import chains
from rules.api.v1.dead_letters import DeadLetters

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("ruleChains", chains.RuleChains, basename="rule_chain")

urlpatterns = [
    *router.urls,
    path("deadLetters", DeadLetters.as_view({"get": "list"})),
    path("deadLetters/retry", DeadLetters.as_view({"post": "retry_all"})),
    path("deadLetters/drop", DeadLetters.as_view({"post": "drop_all"})),
    path("deadLetters/<str:pk>", DeadLetters.as_view({"get": "retrieve", "delete": "destroy"})),
    path("deadLetters/<str:pk>/retry", DeadLetters.as_view({"post": "retry"})),
]
