"""Devices, their profiles and their credentials."""

from devices.models.credentials import CredentialsType, DeviceCredentials
from devices.models.device import Device
from devices.models.profile import DeviceProfile

__all__ = ["CredentialsType", "Device", "DeviceCredentials", "DeviceProfile"]
