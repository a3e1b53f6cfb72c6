"""Devices, their profiles, credentials and groups, and with whom they are shared; what was refused; who holds sessions."""

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
from devices.models.session import DeviceSession, SessionTakeover, TransportNode

__all__ = [
    "CredentialsType",
    "Device",
    "DeviceCredentials",
    "DeviceGroup",
    "DeviceGroupUserGroupShare",
    "DeviceGroupUserShare",
    "DeviceProfile",
    "DeviceSession",
    "DeviceUserGroupShare",
    "DeviceUserShare",
    "Refusal",
    "SessionTakeover",
    "TransportNode",
]
