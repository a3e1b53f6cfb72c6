"""Routes of the pages."""

from django.urls import path

from dashboards.pages.dashboards import dashboard, dashboards, edit, new
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
    path("dashboards", dashboards),
    path("dashboards/new", new),
    path("dashboards/<uuid:dashboard_id>", dashboard),
    path("dashboards/<uuid:dashboard_id>/edit", edit),
]
