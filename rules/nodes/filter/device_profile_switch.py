"""Device profile switch."""

from rules.node.profile_switch import ProfileSwitch
from thingsboard.kernel.ids import EntityType


class DeviceProfileSwitch(ProfileSwitch):
    """Routes messages of devices by the name of their profile.

    The label is the profile's name, exactly as it is written. Messages of anything but a device leave by Failure.
    """

    TYPE = "org.thingsboard.rule.engine.filter.TbDeviceTypeSwitchNode"
    NAME = "device profile switch"
    OF = EntityType.DEVICE
