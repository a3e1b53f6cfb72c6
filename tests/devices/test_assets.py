"""Assets and their profiles: whose they are, what they may refer to, and what goes with them."""

import importlib
import uuid
from typing import Any

import pytest
from django.apps import apps
from django.db import transaction

from devices.models import Asset, AssetProfile
from devices.services.asset_profiles import (
    create_asset_profile,
    default_asset_profile,
    delete_asset_profile,
    set_default_asset_profile,
    update_asset_profile,
)
from devices.services.assets import AssetFields, create_asset, delete_asset, update_asset
from devices.services.assignments import assign, publish, unassign
from telemetry.models import Erasure
from tenants.models import AuditLog
from tenants.services.customers import create_customer, delete_customer
from tenants.services.tenants import create_profile, delete_tenant, update_tenant
from tests.cast import Cast, api
from thingsboard.kernel.entities import Action
from thingsboard.kernel.errors import BadRequest, LimitExceeded, VersionConflict
from thingsboard.kernel.naming import Uniquify


def named(name: str, **fields: Any) -> AssetFields:
    return AssetFields(name=name, **fields)


def test_a_new_tenant_has_a_default_asset_profile_and_its_assets_take_it(cast: Cast) -> None:
    default = AssetProfile.objects.get(tenant=cast.acme)
    assert (default.name, default.is_default) == ("default", True)
    hall = create_asset(cast.acme.pk, named(" Hall "))
    assert (hall.name, hall.profile, hall.type, hall.version) == ("Hall", default, "default", 1)


def test_tenants_that_exist_get_their_default_profile_by_the_migration(cast: Cast) -> None:
    AssetProfile.objects.filter(tenant=cast.acme).delete()
    own = default_asset_profile(cast.globex.pk)
    importlib.import_module("devices.migrations.0006_default_asset_profiles").give(apps, None)
    assert AssetProfile.objects.get(tenant=cast.acme).is_default
    assert AssetProfile.objects.get(tenant=cast.globex) == own


def test_an_asset_takes_the_profile_that_is_named_and_a_new_type_makes_one(cast: Cast) -> None:
    line = create_asset(cast.acme.pk, named("Line", type="line"))
    assert line.profile == AssetProfile.objects.get(tenant=cast.acme, name="line")
    assert create_asset(cast.acme.pk, named("Next", profile_id=line.profile_id)).type == "line"
    foreign = default_asset_profile(cast.globex.pk)
    with pytest.raises(BadRequest, match="non existing asset profile"):
        create_asset(cast.acme.pk, named("Third", profile_id=foreign.pk))


def test_names_are_there_and_unique_in_their_tenant_or_made_so(cast: Cast) -> None:
    create_asset(cast.acme.pk, named("Hall"))
    create_asset(cast.globex.pk, named("Hall"))
    with pytest.raises(BadRequest, match="Asset with such name already exists!"):
        create_asset(cast.acme.pk, named("Hall"))
    with pytest.raises(BadRequest, match="Asset name should be specified!"):
        create_asset(cast.acme.pk, named(" "))
    assert create_asset(cast.acme.pk, named("Hall"), unique=Uniquify()).name.startswith("Hall_")


def test_an_asset_is_replaced_unless_somebody_else_was_faster(cast: Cast) -> None:
    hall = create_asset(cast.acme.pk, named("Hall", label="old", additional_info={"floor": 1}))
    changed = update_asset(hall, named("Big hall"), version=1)
    assert (changed.name, changed.label, changed.additional_info, changed.version) == ("Big hall", "", None, 2)
    with pytest.raises(VersionConflict):
        update_asset(hall, named("Small hall"), version=1)
    assert list(AuditLog.objects.filter(entity_id=hall.pk).values_list("action", "success").order_by("id")) == [
        ("ADDED", True),
        ("UPDATED", True),
    ]


def test_the_tenant_profile_limits_the_number_of_assets(cast: Cast) -> None:
    small = create_profile("Small", profile_data={"configuration": {"type": "DEFAULT", "maxAssets": 1}})
    update_tenant(cast.acme, "Acme", profile=small)
    create_asset(cast.acme.pk, named("Hall"))
    with pytest.raises(LimitExceeded, match="The limit of 1 assets is reached!"):
        create_asset(cast.acme.pk, named("Yard"))
    create_asset(cast.globex.pk, named("Yard"))


def test_only_the_tenant_and_the_customer_that_has_it_see_an_asset(cast: Cast) -> None:
    hall = create_asset(cast.acme.pk, named("Hall"))
    path = f"/api/plugins/telemetry/ASSET/{hall.pk}/keys/attributes"
    assert Asset.objects.visible_to(cast.alice).get() == hall
    assert not Asset.objects.visible_to(cast.gina).exists() and not Asset.objects.visible_to(cast.sam).exists()
    assert (api(cast.alice).get(path).status_code, api(cast.gina).get(path).status_code) == (200, 404)
    assert not Asset.objects.visible_to(cast.bob).exists()
    given = assign(hall, cast.bistro)
    assert (given.customer, given.version) == (cast.bistro, 2)
    assert Asset.objects.visible_to(cast.bob, Action.CONTROL).get() == hall
    assert unassign(hall).customer is None and not Asset.objects.visible_to(cast.bob).exists()
    with pytest.raises(BadRequest, match="Asset isn't assigned to any customer!"):
        unassign(hall)
    with pytest.raises(BadRequest, match="Can't assign asset to customer from different tenant!"):
        assign(hall, create_customer(cast.globex, "Elsewhere"))
    assert publish(hall).customer.title == "Public"  # type: ignore[union-attr]


def test_the_assets_of_a_deleted_customer_are_nobodys(cast: Cast) -> None:
    hall = assign(create_asset(cast.acme.pk, named("Hall")), cast.bistro)
    delete_customer(cast.bistro)
    hall.refresh_from_db()
    assert hall.customer is None


def test_what_was_measured_of_a_deleted_asset_is_erased(cast: Cast) -> None:
    hall = create_asset(cast.acme.pk, named("Hall"))
    key = hall.pk
    delete_asset(hall)
    assert not Asset.objects.exists()
    assert Erasure.objects.get(entity_id=key).entity_type == "ASSET"
    create_asset(cast.acme.pk, named("Hall"))  # its name is free


def test_a_profile_in_use_and_the_default_one_stay(cast: Cast) -> None:
    line = create_asset(cast.acme.pk, named("Line", type="line")).profile
    with pytest.raises(BadRequest, match="referenced by the assets"):
        delete_asset_profile(line)
    with pytest.raises(BadRequest, match="Default Asset Profile is prohibited"):
        delete_asset_profile(default_asset_profile(cast.acme.pk))
    delete_asset_profile(create_asset_profile(cast.acme.pk, "spare"))
    assert not AssetProfile.objects.filter(name="spare").exists()


def test_a_profile_is_changed_with_its_version_and_becomes_the_default(cast: Cast) -> None:
    line = create_asset_profile(cast.acme.pk, "line", default_queue_name="HighPriority")
    changed = update_asset_profile(line, "belt", version=1, description="moves")
    assert (changed.name, changed.description, changed.version) == ("belt", "moves", 2)
    with pytest.raises(VersionConflict):
        update_asset_profile(line, "chain", version=1)
    with pytest.raises(BadRequest, match="Asset profile with such name already exists!"), transaction.atomic():
        create_asset_profile(cast.acme.pk, "belt")
    with pytest.raises(BadRequest, match="non-existent dashboard"):
        update_asset_profile(line, "belt", default_dashboard_id=uuid.uuid4())
    set_default_asset_profile(line)
    assert default_asset_profile(cast.acme.pk) == line
    assert AssetProfile.objects.filter(tenant=cast.acme, is_default=True).count() == 1


def test_a_customer_user_reads_profiles_and_changes_none(cast: Cast) -> None:
    seen = AssetProfile.objects.visible_to(cast.bob)
    assert [profile.tenant for profile in seen] == [cast.acme]
    assert not AssetProfile.objects.visible_to(cast.bob, Action.MANAGE).exists()


def test_a_deleted_tenant_takes_its_assets_and_profiles_along(cast: Cast) -> None:
    create_asset(cast.acme.pk, named("Hall"))
    other = create_asset(cast.globex.pk, named("Hall"))
    delete_tenant(cast.acme)
    assert Asset.objects.get() == other
    assert [profile.tenant for profile in AssetProfile.objects.all()] == [cast.globex]
