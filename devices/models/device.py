"""Devices."""

from typing import Any

from django.db import models

from devices.models.profile import DeviceProfile
from devices.querysets import DeviceQuerySet
from tenants.models import Customer, TenantOwned


def default_device_data() -> dict[str, Any]:
    """ThingsBoard's deviceData of a plain device."""
    return {"configuration": {"type": "DEFAULT"}, "transportConfiguration": {"type": "DEFAULT"}}


class Device(TenantOwned):
    """A thing that sends data. `type` is its profile's name (compat/data_model.md 5)."""

    customer = models.ForeignKey(Customer, null=True, blank=True, on_delete=models.SET_NULL, related_name="devices")
    profile = models.ForeignKey(DeviceProfile, on_delete=models.PROTECT, related_name="devices")
    name = models.CharField(max_length=255)
    label = models.CharField(max_length=255, blank=True)
    device_data = models.JSONField(default=default_device_data, blank=True)
    firmware_id = models.UUIDField(null=True, blank=True)
    software_id = models.UUIDField(null=True, blank=True)
    external_id = models.UUIDField(null=True, blank=True)
    additional_info = models.JSONField(null=True, blank=True)

    objects = DeviceQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "name"], name="device_name")]
        permissions = [("control_device", "Can write values and send commands")]
        indexes = [models.Index(fields=["tenant", "created_time"], name="device_tenant_created")]

    def __str__(self) -> str:
        return self.name

    @property
    def type(self) -> str:
        """The profile's name."""
        return self.profile.name
