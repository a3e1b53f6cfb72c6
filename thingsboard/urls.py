"""Every route of the web process."""

from django.contrib import admin
from django.urls import path

# /health/live and /health/ready are answered before any route: thingsboard.health.middleware.
urlpatterns = [path("admin/", admin.site.urls)]
