"""Rule chains may say that a device fell silent, whatever its timeout."""

from django.db import transaction

from devices.services import activity
from devices.services.activity import Report
from devices.services.activity_rules import ChangeKind
from tests.cast import Cast
from tests.devices.test_activity import cast, heard
from thingsboard.kernel.time import now_ms

__all__ = ["cast"]  # committed, because transports write on connections of their own


def test_what_a_rule_chain_calls_inactive_stays_so_until_it_is_heard_again_or_its_timeout_changes(cast: Cast) -> None:
    device, now = cast.device, now_ms()
    heard(Report(device.pk, last_activity=now - 1000))
    with transaction.atomic():
        assert [each.kind for each in activity.report(Report(device.pk, inactive=now - 1000))] == []
        assert [each.kind for each in activity.report(Report(device.pk, inactive=now))] == [ChangeKind.INACTIVITY]
        assert activity.report(Report(device.pk, inactive=now - 1)) == []
    assert activity.review() == [] and activity.times(device.pk)["active"] is False
    heard(Report(device.pk, disconnected=now))
    assert activity.times(device.pk)["active"] is False
    (change,) = activity.reconsider(device.pk)
    assert (change.kind, activity.times(device.pk)["active"]) == (ChangeKind.ACTIVITY, True)
    with transaction.atomic():
        activity.report(Report(device.pk, inactive=now + 5))
    heard(Report(device.pk, last_activity=now + 6))
    assert activity.times(device.pk)["active"] is True
