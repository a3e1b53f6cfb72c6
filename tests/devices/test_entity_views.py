"""Entity views: of what, for whom, and that they go with what they show."""

import uuid
from typing import Any

import pytest

from devices.models import EntityView
from devices.services.assets import AssetFields, create_asset, delete_asset
from devices.services.assignments import assign
from devices.services.devices import delete_device
from devices.services.entity_views import MOST_KEYS, ViewFields, create_view, delete_view, update_view
from telemetry.models import Erasure
from tenants.services.tenants import delete_tenant
from tests.cast import Cast
from thingsboard.kernel.errors import BadRequest, VersionConflict
from thingsboard.kernel.ids import EntityId, EntityType
from thingsboard.kernel.naming import Uniquify


def of(device: Any, name: str = "Warmth", **fields: Any) -> ViewFields:
    return ViewFields(**{"name": name, "type": "default", "entity": EntityId(EntityType.DEVICE, device.pk), **fields})


def test_a_view_shows_the_named_keys_within_its_times(cast: Cast) -> None:
    keys = {"timeseries": ["t", "t", "u"], "attributes": {"ss": ["limit"], "other": ["x"]}, "else": 1}
    view = create_view(cast.acme.pk, of(cast.device, keys=keys, start_ts=5, end_ts=9))
    assert view.keys == {"timeseries": ["t", "u"], "attributes": {"cs": [], "ss": ["limit"], "sh": []}}
    assert (view.entity, view.start_ts, view.end_ts) == (EntityId(EntityType.DEVICE, cast.device.pk), 5, 9)
    assert create_view(cast.acme.pk, of(cast.device, "Nothing")).keys["timeseries"] == []


def test_a_view_is_of_a_device_or_an_asset_of_the_same_tenant(cast: Cast) -> None:
    hall = create_asset(cast.acme.pk, AssetFields(name="Hall"))
    create_view(cast.acme.pk, of(hall, entity=EntityId(EntityType.ASSET, hall.pk)))
    for entity in (cast.foreign_device.pk, uuid.uuid4(), hall.pk):
        with pytest.raises(BadRequest, match="non-existent device"):
            create_view(cast.acme.pk, of(cast.device, entity=EntityId(EntityType.DEVICE, entity)))
    with pytest.raises(BadRequest, match="expected a device or an asset, got TENANT"):
        create_view(cast.acme.pk, of(cast.device, entity=EntityId(EntityType.TENANT, cast.acme.pk)))


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"name": " "}, "name should be specified"),
        ({"type": ""}, "type should be specified"),
        ({"start_ts": -1}, "startTimeMs: expected milliseconds"),
        ({"end_ts": 2**63}, "endTimeMs: expected milliseconds"),
        ({"start_ts": 9, "end_ts": 5}, "expected a time after startTimeMs"),
        ({"keys": {"timeseries": "t"}}, "keys.timeseries: expected a list"),
        ({"keys": {"timeseries": ["k" * 256]}}, "keys.timeseries: expected a list"),
        ({"keys": {"attributes": []}}, None),
        ({"keys": {"attributes": [1]}}, "keys.attributes: expected an object"),
        ({"keys": {"attributes": {"sh": [str(n) for n in range(MOST_KEYS + 1)]}}}, "keys.attributes.sh: expected at most"),
    ],
)  # fmt: skip
def test_what_cannot_be_a_view_is_refused_with_its_reason(cast: Cast, wrong: dict[str, Any], says: str | None) -> None:
    if says is None:
        create_view(cast.acme.pk, of(cast.device, **wrong))
        return
    with pytest.raises(BadRequest, match=says):
        create_view(cast.acme.pk, of(cast.device, **wrong))


def test_names_are_unique_in_their_tenant_or_made_so(cast: Cast) -> None:
    create_view(cast.acme.pk, of(cast.device))
    create_view(cast.globex.pk, of(cast.foreign_device))
    with pytest.raises(BadRequest, match="Entity View with such name already exists!"):
        create_view(cast.acme.pk, of(cast.device))
    assert create_view(cast.acme.pk, of(cast.device), unique=Uniquify()).name.startswith("Warmth_")


def test_a_view_is_replaced_unless_somebody_else_was_faster(cast: Cast) -> None:
    view = create_view(cast.acme.pk, of(cast.device, keys={"timeseries": ["t"]}))
    assert update_view(view, of(cast.device, "Cold"), version=1).version == 2
    with pytest.raises(VersionConflict):
        update_view(view, of(cast.device), version=1)
    view.refresh_from_db()
    assert (view.name, view.keys["timeseries"]) == ("Cold", [])


def test_a_customer_user_sees_the_view_and_not_the_device_behind_it(cast: Cast) -> None:
    view = create_view(cast.acme.pk, of(cast.device))
    assert not EntityView.objects.visible_to(cast.bob).exists()
    assign(view, cast.bistro)
    assert EntityView.objects.visible_to(cast.bob).get() == view
    assert not EntityView.objects.visible_to(cast.gina).exists()
    assert not type(cast.device).objects.visible_to(cast.bob).exists()


def test_views_go_with_what_they_show_and_with_their_tenant(cast: Cast) -> None:
    hall = create_asset(cast.acme.pk, AssetFields(name="Hall"))
    of_device = create_view(cast.acme.pk, of(cast.device, "One"))
    create_view(cast.acme.pk, of(hall, "Two", entity=EntityId(EntityType.ASSET, hall.pk)))
    create_view(cast.acme.pk, of(cast.bobs_device, "Three"))
    key = of_device.pk
    delete_device(cast.device)
    assert sorted(EntityView.objects.values_list("name", flat=True)) == ["Three", "Two"]
    assert Erasure.objects.get(entity_id=key).entity_type == "ENTITY_VIEW"
    delete_asset(hall)
    kept = create_view(cast.globex.pk, of(cast.foreign_device, "Four"))
    delete_tenant(cast.acme)
    assert EntityView.objects.get() == kept
    delete_view(kept)
    assert not EntityView.objects.exists()
    assert type(cast.foreign_device).objects.filter(pk=cast.foreign_device.pk).exists()
