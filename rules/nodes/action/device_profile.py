"""Device profile (deprecated)."""

from collections.abc import Sequence
from typing import Any

from rules.node import SUCCESS, Category, Config, Context, Emit, Msg, Node, Outcome


class DeviceProfileConfig(Config, frozen=True):
    """Whether the state of alarm rules outlives a restart."""

    persist_alarm_rules_state: bool = False
    fetch_alarm_rules_state_on_start: bool = False


class DeviceProfile(Node):
    """Creates and clears alarms by the alarm rules of the device's profile; deprecated in ThingsBoard 4.3.

    There are no alarm rules yet: every message leaves by Success as it came, as where no rule is met, and imported chains,
    which mostly begin with this node, do the rest of their work. Use "create alarm" and "clear alarm" meanwhile. Chains with
    this node are imported and saved unchanged.
    """

    TYPE = "org.thingsboard.rule.engine.profile.TbDeviceProfileNode"
    NAME = "device profile (deprecated)"
    CATEGORY = Category.ACTION
    RELATIONS = ("Alarm Created", "Alarm Updated", "Alarm Severity Updated", "Alarm Cleared", SUCCESS)
    CUSTOM_RELATIONS = True
    VERSION = 1
    CONFIG = DeviceProfileConfig
    CONFIG_DIRECTIVE = "tbActionNodeDeviceProfileConfig"

    def run(self, ctx: Context, messages: Sequence[Msg]) -> Sequence[Outcome]:
        """Until alarm rules exist."""
        return [Emit(SUCCESS, msg) for msg in messages]

    @classmethod
    def upgrade(cls, version: int, raw: dict[str, Any]) -> dict[str, Any]:
        """Version 0 fetched what it did not persist."""
        if version == 0 and str(raw.get("persistAlarmRulesState", True)).lower() == "false":
            return {**raw, "fetchAlarmRulesStateOnStart": False}
        return raw
