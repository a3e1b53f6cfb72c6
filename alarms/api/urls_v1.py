"""Routes under /api/v1/."""

from rest_framework.routers import SimpleRouter

from alarms.api.v1 import alarms

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("alarms", alarms.Alarms, basename="alarm")

urlpatterns = router.urls
