"""Routes of traces under /api/v1/."""

from rest_framework.routers import SimpleRouter

from rules.api.v1 import traces

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("traces", traces.Traces, basename="trace")
router.register("traceDemands", traces.TraceDemands, basename="trace-demand")

urlpatterns = router.urls
