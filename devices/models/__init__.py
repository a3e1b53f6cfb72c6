"""Devices, their profiles and their credentials; what was refused of them."""

from devices.models.credentials import CredentialsType, DeviceCredentials
from devices.models.device import Device
from devices.models.profile import DeviceProfile
from devices.models.refusal import Refusal

__all__ = ["CredentialsType", "Device", "DeviceCredentials", "DeviceProfile", "Refusal"]
