"""Routes of the pages."""

from django.urls import path

from dashboards.pages.devices import device, devices
from dashboards.pages.home import home
from dashboards.pages.sign_in import create_password, link_expired, login

urlpatterns = [
    path("", home),
    path("auth/login", login),
    path("login/createPassword", create_password),
    path("activationLinkExpired", link_expired),
    path("devices", devices),
    path("devices/<uuid:device_id>", device),
]
