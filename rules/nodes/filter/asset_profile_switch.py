"""Asset profile switch."""

from rules.node.profile_switch import ProfileSwitch
from thingsboard.kernel.ids import EntityType


class AssetProfileSwitch(ProfileSwitch):
    """Routes messages of assets by the name of their profile.

    The label is the profile's name, exactly as it is written. Messages of anything but an asset leave by Failure.
    """

    TYPE = "org.thingsboard.rule.engine.filter.TbAssetTypeSwitchNode"
    NAME = "asset profile switch"
    OF = EntityType.ASSET
