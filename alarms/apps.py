"""Alarms and what becomes of them."""

from django.apps import AppConfig

from thingsboard.kernel.entities import before_delete, register
from thingsboard.kernel.ids import EntityType


class AlarmsConfig(AppConfig):
    """Alarms and what becomes of them."""

    name = "alarms"

    def ready(self) -> None:
        """Open the kernel's door to alarms, and let them go with what they are about."""
        from alarms.models import Alarm
        from alarms.services.leave import take_leave

        register(EntityType.ALARM, Alarm, title="Alarm", has_values=False)
        before_delete(take_leave)
