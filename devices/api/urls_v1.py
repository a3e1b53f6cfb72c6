"""Routes under /api/v1/."""

from rest_framework.routers import SimpleRouter

from devices.api import groups
from devices.api.v1 import devices, profiles

# These stand under /api/ as well (urls.py).
entities = SimpleRouter(trailing_slash=False, use_regex_path=False)
entities.register("devices", devices.Devices, basename="device")
entities.register("deviceProfiles", profiles.DeviceProfiles, basename="device-profile")

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("deviceGroups", groups.DeviceGroups, basename="device-group")

urlpatterns = [*entities.urls, *router.urls]
