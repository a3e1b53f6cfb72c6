"""Persistent RPC: commands that wait for their device."""

from django.db import models

from devices.models.device import Device
from devices.querysets import RpcQuerySet
from tenants.models import TenantOwned


class RpcStatus(models.TextChoices):
    """How far a command has come (compat/device_transports.md 9)."""

    QUEUED = "QUEUED"
    SENT = "SENT"
    DELIVERED = "DELIVERED"
    SUCCESSFUL = "SUCCESSFUL"
    TIMEOUT = "TIMEOUT"
    EXPIRED = "EXPIRED"
    FAILED = "FAILED"
    DELETED = "DELETED"


class Rpc(TenantOwned):
    """A command for a device, kept until it is deleted.

    No entity of the kernel's door: nothing is measured of it, and it lives and goes with its device.
    """

    device = models.ForeignKey(Device, on_delete=models.CASCADE, related_name="rpcs", db_index=False)
    status = models.CharField(max_length=16, choices=RpcStatus.choices, default=RpcStatus.QUEUED)
    request = models.JSONField(help_text="What the device is asked, with ThingsBoard's members around it.")
    response = models.JSONField(null=True)
    expiration_time = models.BigIntegerField(help_text="Milliseconds since 1970.")
    retries = models.PositiveSmallIntegerField(null=True, help_text="Empty: as many as the platform makes.")
    additional_info = models.JSONField(null=True, blank=True)

    objects = RpcQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["device", "status", "created_time"], name="rpc_device_status"),
            models.Index(fields=["tenant", "created_time"], name="rpc_tenant_created"),
        ]

    def __str__(self) -> str:
        return f"{self.status} RPC {self.pk}"
