"""Routes under /api/."""

from django.urls import path

from devices.api import credentials, devices, profiles, refusals

urlpatterns = [
    path("device", devices.Devices.as_view()),
    path("device-with-credentials", devices.DeviceWithCredentials.as_view()),
    path("device/credentials", credentials.Credentials.as_view()),
    path("device/info/<str:device_id>", devices.OneDeviceInfo.as_view()),
    path("device/<str:device_id>", devices.OneDevice.as_view()),
    path("device/<str:device_id>/credentials", credentials.CredentialsOfDevice.as_view()),
    path("tenant/devices", devices.TenantDevices.as_view()),
    path("tenant/deviceInfos", devices.TenantDeviceInfos.as_view()),
    path("deviceProfileInfos", profiles.ProfileInfos.as_view()),
    path("deviceProfileInfo/default", profiles.DefaultProfileInfo.as_view()),
    path("deviceProfileInfo/<str:profile_id>", profiles.OneProfileInfo.as_view()),
    path("v1/refusals", refusals.Refusals.as_view()),
    path("v1/refusals/search", refusals.Search.as_view()),
]
