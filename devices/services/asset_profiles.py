"""Writes of asset profiles."""

import uuid
from typing import Any

from django.db import transaction

from devices.models import Asset, AssetProfile
from devices.services import profile_news
from devices.services.events import announce
from devices.services.references import require_references
from tenants.models import ActionType
from tenants.services import audit
from tenants.services.events import Event
from tenants.services.tenants import require_version
from thingsboard.kernel.constraints import refusing
from thingsboard.kernel.entities import deleting
from thingsboard.kernel.errors import BadRequest
from thingsboard.kernel.ids import EntityType

DEFAULT_PROFILE = "default"
NAME_TAKEN = {"asset_profile_name": "Asset profile with such name already exists!"}

_REFERENCES = ("default_rule_chain_id", "default_edge_rule_chain_id", "default_dashboard_id")


@transaction.atomic
def create_asset_profile(tenant_id: uuid.UUID, name: str, **fields: Any) -> AssetProfile:
    """A profile of the tenant. Raises BadRequest for an empty or taken name and references to what does not exist."""
    profile = AssetProfile(tenant_id=tenant_id, name=name.strip(), **fields)
    with audit.deed(ActionType.ADDED, EntityType.ASSET_PROFILE, profile) as entry:
        _check(profile)
        with refusing(NAME_TAKEN):
            profile.save(force_insert=True)
        profile_news.tell(profile)
        entry.after(profile)
        announce(Event.ENTITY_CREATED, profile)
    return profile


@transaction.atomic
def update_asset_profile(
    profile: AssetProfile, name: str, *, version: int | None = None, **fields: Any
) -> AssetProfile:
    """Replace everything that `fields` says. Raises as `create_asset_profile`, and VersionConflict."""
    profile = AssetProfile.objects.select_for_update(of=("self",)).get(pk=profile.pk)
    require_version(profile, version)
    with audit.deed(ActionType.UPDATED, EntityType.ASSET_PROFILE, profile) as entry:
        entry.before(profile)
        before = profile_news.columns_of(profile)
        for member, value in {**fields, "name": name.strip()}.items():
            setattr(profile, member, value)
        _check(profile)
        profile.version += 1
        with refusing(NAME_TAKEN):
            profile.save()
        profile_news.tell(profile, before)
        entry.after(profile)
        announce(Event.ENTITY_UPDATED, profile)
    return profile


@transaction.atomic
def delete_asset_profile(profile: AssetProfile) -> None:
    """Delete it. Raises BadRequest while assets have it, and for the default one."""
    if profile.is_default:
        raise BadRequest("Deletion of Default Asset Profile is prohibited!")
    with audit.deed(ActionType.DELETED, EntityType.ASSET_PROFILE, profile) as entry:
        entry.before(profile)
        deleting(EntityType.ASSET_PROFILE, [profile.pk], profile.tenant_id)
        if Asset.objects.filter(profile=profile).exists():
            raise BadRequest("The asset profile referenced by the assets cannot be deleted!")
        announce(Event.ENTITY_DELETED, profile)
        profile.delete()


@transaction.atomic
def set_default_asset_profile(profile: AssetProfile) -> AssetProfile:
    """Make it the profile of the tenant's assets for which none is chosen."""
    of_tenant = AssetProfile.objects.select_for_update(of=("self",)).filter(tenant_id=profile.tenant_id)
    with audit.deed(ActionType.UPDATED, EntityType.ASSET_PROFILE, profile) as entry:
        entry.before(profile)
        for other in of_tenant.filter(is_default=True).exclude(pk=profile.pk):
            other.is_default = False
            other.save(update_fields=["is_default"])
            announce(Event.ENTITY_UPDATED, other)
        profile.is_default = True
        profile.save(update_fields=["is_default"])
        entry.after(profile)
        announce(Event.ENTITY_UPDATED, profile)
    return profile


def default_asset_profile(tenant_id: uuid.UUID) -> AssetProfile:
    """The profile of assets for which none was chosen; made for a new tenant."""
    found = AssetProfile.objects.filter(tenant_id=tenant_id, is_default=True).first()
    if found is not None:
        return found
    made, _ = AssetProfile.objects.get_or_create(
        tenant_id=tenant_id,
        name=DEFAULT_PROFILE,
        defaults={"is_default": True, "description": "Default asset profile"},
    )
    return made


def asset_profile_by_name(tenant_id: uuid.UUID, name: str) -> AssetProfile:
    """The tenant's profile of that name, made when there is none: an asset's `type` (compat/data_model.md 5)."""
    found, made = AssetProfile.objects.get_or_create(tenant_id=tenant_id, name=name)
    if made:
        audit.record(ActionType.ADDED, EntityType.ASSET_PROFILE, found, audit.snapshot(found))
        announce(Event.ENTITY_CREATED, found)
    return found


def _check(profile: AssetProfile) -> None:
    """Raise BadRequest unless it can be a profile."""
    if not profile.name:
        raise BadRequest("Asset profile name should be specified!")
    require_references(profile.tenant_id, {member: getattr(profile, member) for member in _REFERENCES})
