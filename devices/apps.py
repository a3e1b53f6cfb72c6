"""Devices, their profiles and credentials."""

from django.apps import AppConfig

from thingsboard.kernel.entities import before_delete, register
from thingsboard.kernel.ids import EntityType


class DevicesConfig(AppConfig):
    """Devices, their profiles and credentials."""

    name = "devices"

    def ready(self) -> None:
        """Open the kernel's door to our entities, give every new tenant its default profile, and hear of a new
        inactivityTimeout.
        """
        from devices.models import Device, DeviceProfile
        from devices.services import activity
        from devices.services.activity_rules import INACTIVITY_TIMEOUT
        from devices.services.devices import take_leave
        from devices.services.profiles import default_profile
        from telemetry.points import Scope
        from telemetry.services import watch_attribute
        from tenants.services.tenants import equip_new_tenants

        register(EntityType.DEVICE, Device, title="Device")
        register(EntityType.DEVICE_PROFILE, DeviceProfile, title="Device profile")
        equip_new_tenants(default_profile)
        before_delete(take_leave)
        watch_attribute(Scope.SERVER, INACTIVITY_TIMEOUT, activity.reconsider)
