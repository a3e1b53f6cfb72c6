"""Routes under /api/v1/."""

from rest_framework.routers import SimpleRouter

from devices.api import groups

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("deviceGroups", groups.DeviceGroups, basename="device-group")

urlpatterns = router.urls
