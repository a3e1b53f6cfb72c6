"""Devices, their profiles and their credentials, and who holds their sessions."""

from devices.models.credentials import CredentialsType, DeviceCredentials
from devices.models.device import Device
from devices.models.profile import DeviceProfile
from devices.models.session import DeviceSession, SessionTakeover, TransportNode

__all__ = [
    "CredentialsType",
    "Device",
    "DeviceCredentials",
    "DeviceProfile",
    "DeviceSession",
    "SessionTakeover",
    "TransportNode",
]
