"""Writes of assets."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from devices.models import Asset, AssetProfile
from devices.services.asset_profiles import asset_profile_by_name, default_asset_profile
from devices.services.events import announce
from tenants.limits import require_room
from tenants.models import ActionType, Customer
from tenants.services import audit
from tenants.services.events import Event
from tenants.services.tenants import require_version
from thingsboard.kernel.constraints import refusing
from thingsboard.kernel.entities import deleting
from thingsboard.kernel.errors import BadRequest
from thingsboard.kernel.ids import EntityType
from thingsboard.kernel.naming import Uniquify

NAME_TAKEN = {"asset_name": "Asset with such name already exists!"}


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetFields:
    """What a caller may say about an asset. Its tenant and customer are not among it."""

    name: str
    type: str = ""
    profile_id: uuid.UUID | None = None
    label: str = ""
    external_id: uuid.UUID | None = None
    additional_info: dict[str, Any] | None = None


@transaction.atomic
def create_asset(
    tenant_id: uuid.UUID, fields: AssetFields, *, customer: Customer | None = None, unique: Uniquify | None = None
) -> Asset:
    """An asset; `unique` makes a taken name free. Its profile is found as a device's is.

    Raises BadRequest (name, references) and LimitExceeded.
    """
    asset = Asset(tenant_id=tenant_id, customer=customer, name=fields.name.strip())
    with audit.deed(ActionType.ADDED, EntityType.ASSET, asset) as entry:
        require_room(tenant_id, EntityType.ASSET, Asset.objects.filter(tenant_id=tenant_id).count)
        _fill(asset, fields, unique)
        with refusing(NAME_TAKEN):
            asset.save(force_insert=True)
        entry.after(asset)
        announce(Event.ENTITY_CREATED, asset)
    return asset


@transaction.atomic
def update_asset(
    asset: Asset, fields: AssetFields, *, version: int | None = None, unique: Uniquify | None = None
) -> Asset:
    """Replace everything that `fields` says; tenant and customer stay. Raises as `create_asset`, and VersionConflict."""
    asset = Asset.objects.select_for_update(of=("self",)).get(pk=asset.pk)
    require_version(asset, version)
    with audit.deed(ActionType.UPDATED, EntityType.ASSET, asset) as entry:
        entry.before(asset)
        _fill(asset, fields, unique)
        asset.version += 1
        with refusing(NAME_TAKEN):
            asset.save()
        entry.after(asset)
        announce(Event.ENTITY_UPDATED, asset)
    return asset


@transaction.atomic
def delete_asset(asset: Asset) -> None:
    """Delete an asset with its relations and views; what was measured of it is removed in the background."""
    with audit.deed(ActionType.DELETED, EntityType.ASSET, asset) as entry:
        entry.before(asset)
        deleting(EntityType.ASSET, [asset.pk], asset.tenant_id)
        announce(Event.ENTITY_DELETED, asset)
        asset.delete()


def take_leave(kind: EntityType, ids: Collection[uuid.UUID], tenant_id: uuid.UUID | None) -> None:
    """What assets do when something of a lower floor is about to be deleted: a tenant's assets go with it."""
    if kind is not EntityType.TENANT:
        return
    for each, model in ((EntityType.ASSET, Asset), (EntityType.ASSET_PROFILE, AssetProfile)):
        rows = model._default_manager.filter(tenant_id__in=list(ids))
        deleting(each, list(rows.values_list("pk", flat=True)), tenant_id)
        rows.delete()


def _fill(asset: Asset, fields: AssetFields, unique: Uniquify | None) -> None:
    """Set all fields of an asset and check them. Raises BadRequest."""
    if not fields.name.strip():
        raise BadRequest("Asset name should be specified!")
    asset.name = fields.name.strip()
    if unique is not None:
        others = Asset.objects.filter(tenant_id=asset.tenant_id).exclude(pk=asset.pk)
        asset.name = unique.free_name(asset.name, others, "name")
    asset.label = fields.label
    asset.profile = _profile(asset.tenant_id, fields)
    asset.external_id = fields.external_id
    asset.additional_info = fields.additional_info


def _profile(tenant_id: uuid.UUID, fields: AssetFields) -> AssetProfile:
    """The profile that `fields` asks for."""
    if fields.profile_id is not None:
        found = AssetProfile.objects.filter(tenant_id=tenant_id, pk=fields.profile_id).first()
        if found is None:
            raise BadRequest(f"Asset is referencing to non existing asset profile: [{fields.profile_id}]")
        return found
    if fields.type.strip():
        return asset_profile_by_name(tenant_id, fields.type.strip())
    return default_asset_profile(tenant_id)
