"""Device profile (deprecated): until alarm rules exist every message passes, as where no rule is met."""

from rules.nodes.action.device_profile import DeviceProfile
from tests.rules.nodes.context import World, message
from tests.rules.nodes.running import made

SAVED = {"persistAlarmRulesState": True, "fetchAlarmRulesStateOnStart": True}


def test_every_message_passes_as_it_came(world: World) -> None:
    batch = [message({"t": 1}, stored=True), message(raw=b"no json"), message([], "CUSTOM", ts="5")]
    outcomes = made(DeviceProfile, SAVED).run(world, batch)
    assert outcomes == [("Success", msg, "") for msg in batch]
    assert (world.asked, world.alarms.wishes) == ([], [])


def test_version_0_did_not_fetch_what_it_did_not_persist() -> None:
    for persists in (False, "false"):
        old = {"persistAlarmRulesState": persists, "fetchAlarmRulesStateOnStart": True}
        assert DeviceProfile.upgrade(0, old)["fetchAlarmRulesStateOnStart"] is False
    assert DeviceProfile.upgrade(0, SAVED) == SAVED
    assert DeviceProfile.upgrade(0, {}) == {}
