"""Dashboards and pages (built with the live screens)."""

from django.apps import AppConfig


class DashboardsConfig(AppConfig):
    """Dashboards and pages (built with the live screens)."""

    name = "dashboards"
