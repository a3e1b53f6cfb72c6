"""Groups of devices, and with whom devices and groups are shared."""

from django.db import models

from devices.models.device import Device
from devices.querysets import DeviceGroupQuerySet
from tenants.access import GroupShareBase, UserShareBase
from tenants.models import TenantOwned


class DeviceGroup(TenantOwned):
    """Devices of a tenant that are treated as one, above all when they are shared."""

    name = models.CharField(max_length=255)
    members = models.ManyToManyField(Device, related_name="groups", blank=True)
    additional_info = models.JSONField(null=True, blank=True)

    objects = DeviceGroupQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "name"], name="device_group_name")]
        permissions = [("control_devicegroup", "Can control the devices of the group")]

    def __str__(self) -> str:
        return self.name


class DeviceUserShare(UserShareBase):
    """A device that is shared with a user."""

    content_object = models.ForeignKey(Device, on_delete=models.CASCADE, related_name="user_shares")


class DeviceUserGroupShare(GroupShareBase):
    """A device that is shared with a group of users."""

    content_object = models.ForeignKey(Device, on_delete=models.CASCADE, related_name="group_shares")


class DeviceGroupUserShare(UserShareBase):
    """A group of devices that is shared with a user."""

    content_object = models.ForeignKey(DeviceGroup, on_delete=models.CASCADE, related_name="user_shares")


class DeviceGroupUserGroupShare(GroupShareBase):
    """A group of devices that is shared with a group of users."""

    content_object = models.ForeignKey(DeviceGroup, on_delete=models.CASCADE, related_name="group_shares")
