"""What the rule chains hear of values that people write: TIMESERIES_... and ATTRIBUTES_..., with who did it."""

import uuid

import pytest
from django.db import transaction

from telemetry.deeds import Target, delete_attributes, delete_points, save_attributes, save_points
from telemetry.points import Json, Scope
from tests.cast import Cast, api
from tests.queued import body, newly_queued
from thingsboard.kernel.ids import EntityId, EntityType


def path(cast: Cast) -> str:
    return f"/api/plugins/telemetry/DEVICE/{cast.device.pk}"


def test_written_and_deleted_attributes_are_told_with_their_scope(cast: Cast) -> None:
    client = api(cast.alice)
    with newly_queued(cast.acme.pk) as found:
        values = {"a": 1, "b": 2.5, "c": "x", "d": True, "e": {"deep": [1]}}
        assert client.post(f"{path(cast)}/SHARED_SCOPE", values, format="json").status_code == 200
        assert client.delete(f"{path(cast)}/SHARED_SCOPE?keys=a,missing").status_code == 200
    updated, deleted = (message for message in found if message.type != "ENTITY_CREATED")
    assert (updated.type, body(updated)) == ("ATTRIBUTES_UPDATED", values)
    assert (deleted.type, body(deleted)) == ("ATTRIBUTES_DELETED", {"attributes": ["a", "missing"]})
    for message in (updated, deleted):
        assert message.originator == EntityId(EntityType.DEVICE, cast.device.pk)
        assert message.metadata == {
            "scope": "SHARED_SCOPE",
            "userId": str(cast.alice.pk),
            "userName": "alice@acme.example",
            "userEmail": "alice@acme.example",
        }


def test_written_and_deleted_points_are_told_with_their_times(cast: Cast) -> None:
    client = api(cast.alice)
    with newly_queued(cast.acme.pk) as found:
        written = [{"ts": 5, "values": {"t": 1}}, {"ts": 7, "values": {"t": 2, "u": "x"}}]
        assert client.post(f"{path(cast)}/timeseries/ANY", written, format="json").status_code == 200
        gone = client.delete(f"{path(cast)}/timeseries/delete?keys=t&startTs=5&endTs=6")
        all_gone = client.delete(f"{path(cast)}/timeseries/delete?keys=t,u&deleteAllDataForKeys=true")
        assert (gone.status_code, all_gone.status_code) == (200, 200)
    updated, some, all_of_it = (message for message in found if message.type != "ENTITY_CREATED")
    assert (updated.type, body(updated)) == ("TIMESERIES_UPDATED", {"timeseries": written})
    assert (some.type, body(some)) == ("TIMESERIES_DELETED", {"timeseries": ["t"], "startTs": 5, "endTs": 6})
    assert body(all_of_it) == {"timeseries": ["t", "u"], "startTs": None, "endTs": None}


def test_what_is_refused_is_not_told(cast: Cast) -> None:
    assert cast.device
    with newly_queued() as found:
        assert api(cast.gina).post(f"{path(cast)}/SERVER_SCOPE", {"a": 1}, format="json").status_code == 404
        assert api(cast.alice).post(f"{path(cast)}/SERVER_SCOPE", {"": 1}, format="json").status_code == 400
    assert found == []


def test_values_and_their_event_are_there_together_or_not_at_all(cast: Cast) -> None:
    target = Target(cast.acme.pk, EntityId(EntityType.DEVICE, cast.device.pk), cast.device)

    def write() -> None:
        save_points(target, [(5, {"t": 1})])
        save_attributes(target, Scope.SERVER, {"a": Json('{"x":1}')})
        delete_attributes(target, Scope.SERVER, ["a"])
        delete_points(target, ["t"])

    with newly_queued() as none, pytest.raises(RuntimeError), transaction.atomic():
        write()
        raise RuntimeError
    with newly_queued(cast.acme.pk) as found:
        write()
    assert none == []
    assert [message.type for message in found] == [
        "TIMESERIES_UPDATED",
        "ATTRIBUTES_UPDATED",
        "ATTRIBUTES_DELETED",
        "TIMESERIES_DELETED",
    ]
    assert body(found[1]) == {"a": {"x": 1}}


def test_attributes_of_a_tenant_are_told_to_its_own_rules(cast: Cast) -> None:
    path = f"/api/plugins/telemetry/TENANT/{cast.acme.pk}/SERVER_SCOPE"
    with newly_queued(cast.acme.pk) as found:
        assert api(cast.sam).post(path, {"a": uuid.UUID(int=1).hex}, format="json").status_code == 200
    assert [(message.type, message.originator.type) for message in found] == [("ATTRIBUTES_UPDATED", "TENANT")]
