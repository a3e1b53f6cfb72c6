"""Dashboards and pages."""

from django.apps import AppConfig

from thingsboard.kernel.entities import before_delete, register
from thingsboard.kernel.ids import EntityType


class DashboardsConfig(AppConfig):
    """Dashboards and pages."""

    name = "dashboards"

    def ready(self) -> None:
        """Open the kernel's door to dashboards, say how they are assigned, and let a tenant's go with it."""
        from dashboards.models import Dashboard
        from dashboards.services.dashboards import keep_assigned, keep_unassigned, take_leave
        from tenants.services.assignable import Assignable, make_assignable

        register(EntityType.DASHBOARD, Dashboard, title="Dashboard")
        make_assignable(EntityType.DASHBOARD, Assignable(keep_assigned, keep_unassigned, many=True))
        before_delete(take_leave)
