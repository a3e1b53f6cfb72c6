"""Devices and assets, their profiles, credentials, groups, relations, views and commands, and with whom devices are shared;
what was refused; who holds sessions.
"""

from devices.models.asset import Asset, AssetProfile
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
from devices.models.relation import Direction, EntityRelation, RelationGroup
from devices.models.rpc import Rpc, RpcStatus
from devices.models.session import DeviceSession, SessionTakeover, TransportNode
from devices.models.view import EntityView

__all__ = [
    "Asset",
    "AssetProfile",
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
    "Direction",
    "EntityRelation",
    "EntityView",
    "Refusal",
    "RelationGroup",
    "Rpc",
    "RpcStatus",
    "SessionTakeover",
    "TransportNode",
]
