"""Routes under /api/."""

from django.urls import path

from devices.api import assignments, credentials, devices, lists, profiles, refusals
from devices.api.urls_v1 import entities
from thingsboard.kernel.shared_paths import Theirs, also_under_api

urlpatterns = [
    path("device", devices.Devices.as_view()),
    path("device-with-credentials", devices.DeviceWithCredentials.as_view()),
    path("device/credentials", credentials.Credentials.as_view()),
    path("device/types", lists.DeviceTypes.as_view()),
    path("device/info/<str:device_id>", devices.OneDeviceInfo.as_view()),
    path("device/<str:device_id>", devices.OneDevice.as_view()),
    path("device/<str:device_id>/credentials", credentials.CredentialsOfDevice.as_view()),
    path("devices/list", lists.DevicesOfIds.as_view()),
    path("devices/count/<str:package>/<str:profile_id>", lists.WithoutPackage.as_view()),
    path("tenant/device", lists.DeviceOfName.as_view()),
    path("tenant/devices", lists.TenantDevices.as_view()),
    path("tenant/deviceInfos", lists.TenantDeviceInfos.as_view()),
    path("customer/device/<str:device_id>", assignments.NoAssignment.as_view()),
    path("customer/public/device/<str:device_id>", assignments.PublicAssignment.as_view()),
    path("customer/<str:customer_id>/device/<str:device_id>", assignments.Assignment.as_view()),
    path("customer/<str:customer_id>/devices", lists.CustomerDevices.as_view()),
    path("customer/<str:customer_id>/deviceInfos", lists.CustomerDeviceInfos.as_view()),
    path("deviceProfile", profiles.Profiles.as_view()),
    path("deviceProfile/names", profiles.ProfileNames.as_view()),
    path("deviceProfile/devices/keys/timeseries", profiles.TimeseriesKeys.as_view()),
    path("deviceProfile/devices/keys/attributes", profiles.AttributeKeys.as_view()),
    path("deviceProfile/<str:profile_id>", profiles.OneProfile.as_view()),
    path("deviceProfile/<str:profile_id>/default", profiles.DefaultProfile.as_view()),
    path("deviceProfileInfos", profiles.ProfileInfos.as_view()),
    path("deviceProfileInfos/list", profiles.ProfileInfoList.as_view()),
    path("deviceProfileInfo/default", profiles.DefaultProfileInfo.as_view()),
    path("deviceProfileInfo/<str:profile_id>", profiles.OneProfileInfo.as_view()),
    path("v1/refusals", refusals.Refusals.as_view()),
    path("v1/refusals/search", refusals.Search.as_view()),
]

urlpatterns += also_under_api(
    entities.urls,
    {
        "devices": Theirs(lists.DevicesOfIds.as_view(), "deviceIds"),
        "deviceProfiles": Theirs(profiles.ProfilePage.as_view(), "pageSize", "page"),
    },
)
