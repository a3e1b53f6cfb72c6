"""Dashboards and pages."""

from django.apps import AppConfig

from thingsboard.kernel.entities import before_delete, register
from thingsboard.kernel.ids import EntityType


class DashboardsConfig(AppConfig):
    """Dashboards and pages."""

    name = "dashboards"

    def ready(self) -> None:
        """Open the kernel's door to dashboards, and let a tenant's go with it."""
        from dashboards.models import Dashboard
        from dashboards.services.dashboards import take_leave

        register(EntityType.DASHBOARD, Dashboard, title="Dashboard")
        before_delete(take_leave)
