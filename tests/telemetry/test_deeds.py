"""What users write and delete by hand is in the audit log, bounded and without secrets; what devices send is not."""

from typing import Any

import pytest

from telemetry import services
from telemetry.points import Scope
from tenants.models import AuditLog
from tests.cast import Cast, api

FAMILIES = pytest.mark.parametrize("base", ["/api/plugins/telemetry/DEVICE", "/api/v1/telemetry/DEVICE"])


def deeds(cast: Cast, action: str) -> list[AuditLog]:
    """What the log tells of the device."""
    return list(AuditLog.objects.filter(entity_id=cast.bobs_device.pk, action=action).order_by("created_time", "id"))


def write(user: Any, path: str, body: object) -> int:
    return int(api(user).post(path, body, format="json").status_code)


@FAMILIES
def test_attributes_that_change_are_told_with_what_they_were(cast: Cast, base: str) -> None:
    path = f"{base}/{cast.bobs_device.pk}/attributes/SHARED_SCOPE"
    assert write(cast.bob, path, {"limit": 5, "mode": "eco"}) == 200
    assert write(cast.alice, path, {"limit": 6, "mode": "eco"}) == 200
    first, second = deeds(cast, "ATTRIBUTES_UPDATED")
    assert (first.user_name, first.tenant_id, first.customer_id) == ("bob@bistro.example", cast.acme.pk, cast.bistro.pk)
    assert first.data == {"before": {"SHARED_SCOPE": {}}, "after": {"SHARED_SCOPE": {"limit": 5, "mode": "eco"}}}
    assert second.data == {"before": {"SHARED_SCOPE": {"limit": 5}}, "after": {"SHARED_SCOPE": {"limit": 6}}}
    assert api(cast.alice).delete(f"{path}?keys=limit,nothing").status_code in {200, 204}
    (gone,) = deeds(cast, "ATTRIBUTES_DELETED")
    assert gone.data == {"before": {"SHARED_SCOPE": {"limit": 6}}}


@FAMILIES
def test_points_that_are_written_and_deleted_are_told(cast: Cast, base: str) -> None:
    path = f"{base}/{cast.bobs_device.pk}/timeseries"
    body = [{"ts": 1000, "values": {"a": 1}}, {"ts": 3000, "values": {"a": 2, "b": True}}]
    assert write(cast.bob, f"{path}/ANY", body) == 200
    (told,) = deeds(cast, "TIMESERIES_UPDATED")
    assert told.data["after"] == {"points": 3, "start_ts": 1000, "end_ts": 3000, "newest": {"a": 2, "b": True}}
    ours = base.startswith("/api/v1")
    ask = f"{path}/ANY?keys=a&start_ts=0&end_ts=2000" if ours else f"{path}/delete?keys=a&startTs=0&endTs=2000"
    assert api(cast.alice).delete(ask).status_code in {200, 204}
    (gone,) = deeds(cast, "TIMESERIES_DELETED")
    assert gone.data == {"before": {"keys": ["a"], "start_ts": 0, "end_ts": 2000}}
    page = api(cast.alice).get(f"/api/audit/logs/entity/DEVICE/{cast.bobs_device.pk}?pageSize=10&page=0").json()
    assert {"TIMESERIES_UPDATED", "TIMESERIES_DELETED"} <= {row["actionType"] for row in page["data"]}


def test_a_row_stays_small_and_tells_no_secrets_whatever_is_written(cast: Cast) -> None:
    path = f"/api/v1/telemetry/DEVICE/{cast.bobs_device.pk}/attributes"
    many = {f"key {number}": "x" * 9000 for number in range(90)}
    assert (
        write(cast.alice, path, {"wifi_password": "hunter2", "deep": {"token": "hunter2", "list": [1]}, **many}) == 200
    )
    (told,) = deeds(cast, "ATTRIBUTES_UPDATED")
    shown = told.data["after"]["SERVER_SCOPE"]
    assert (shown["wifi_password"], shown["deep"]) == ("***", {"token": "***", "list": [1]})
    assert len(str(told.data)) < 8192 and "hunter2" not in str(told.data)
    assert shown["..."].endswith("more") and len(shown["key 0"]) < 300
    assert services.attributes(cast.bobs_device.pk, Scope.SERVER, ["key 89"])


def test_a_write_that_is_refused_is_told_as_a_failure_and_stores_nothing(cast: Cast, settings: Any) -> None:
    settings.TB_MAX_KEYS_PER_TENANT = 1
    path = f"/api/plugins/telemetry/DEVICE/{cast.bobs_device.pk}/timeseries/ANY"
    assert write(cast.alice, path, {"a": 1, "b": 2, "c": 3}) == 429
    (told,) = deeds(cast, "TIMESERIES_UPDATED")
    assert (told.success, told.user_name) == (False, "alice@acme.example") and told.failure
    assert services.timeseries_keys(cast.bobs_device.pk) == []


def test_what_is_written_without_a_user_is_not_told(cast: Cast) -> None:
    services.save(cast.acme.pk, cast.bobs_device.pk, [(1, {"a": 1})])
    services.save_attributes(cast.acme.pk, cast.bobs_device.pk, Scope.CLIENT, {"a": 1})
    assert not deeds(cast, "TIMESERIES_UPDATED") and not deeds(cast, "ATTRIBUTES_UPDATED")
