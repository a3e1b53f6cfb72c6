"""Routes under /api/v1/."""

from rest_framework.routers import SimpleRouter

from dashboards.api import resources

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("dashboards", resources.Dashboards, basename="dashboard")

urlpatterns = router.urls
