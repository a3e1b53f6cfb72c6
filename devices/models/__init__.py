"""Devices, their profiles, credentials and groups, and with whom they are shared; what was refused of them."""

from devices.models.credentials import CredentialsType, DeviceCredentials
from devices.models.device import Device
from devices.models.group import (
    DeviceGroup,
    DeviceGroupUserGroupShare,
    DeviceGroupUserShare,
    DeviceUserGroupShare,
    DeviceUserShare,
)
from devices.models.profile import DeviceProfile
from devices.models.refusal import Refusal

__all__ = [
    "CredentialsType",
    "Device",
    "DeviceCredentials",
    "DeviceGroup",
    "DeviceGroupUserGroupShare",
    "DeviceGroupUserShare",
    "DeviceProfile",
    "DeviceUserGroupShare",
    "DeviceUserShare",
    "Refusal",
]
