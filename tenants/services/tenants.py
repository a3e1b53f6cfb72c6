"""Writes of tenants and their profiles."""

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from django.db import transaction

from tenants.models import ActionType, Customer, Tenant, TenantProfile, User, UserGroup
from tenants.services import audit
from tenants.services.groups import forget_groups
from tenants.services.profile_data import checked_profile_data
from thingsboard.kernel.constraints import refusing
from thingsboard.kernel.entities import deleting
from thingsboard.kernel.errors import BadRequest, VersionConflict
from thingsboard.kernel.ids import EntityType

DEFAULT_PROFILE = "Default"
TITLE_MISSING = "Tenant title should be specified!"
NAME_TAKEN = {"tenants_tenantprofile_name_key": "Tenant profile with such name already exists!"}

# What higher floors give to every new tenant. They must not depend on each other's order.
_equipment: list[Callable[[uuid.UUID], object]] = []


def equip_new_tenants(give: Callable[[uuid.UUID], object]) -> None:
    """Have `give(tenant_id)` called in the transaction of every new tenant; apps say so in `ready()`."""
    if give not in _equipment:
        _equipment.append(give)


@transaction.atomic
def create_tenant(title: str, *, profile: TenantProfile | None = None, **fields: Any) -> Tenant:
    """A tenant with what every tenant has (a default device profile, ...). Raises BadRequest without a title."""
    if not title.strip():
        raise BadRequest(TITLE_MISSING)
    tenant = Tenant(title=title.strip(), profile=profile or default_profile(), **fields)
    with audit.deed(ActionType.ADDED, EntityType.TENANT, tenant) as entry:
        tenant.save(force_insert=True)
        for give in _equipment:
            give(tenant.pk)
        entry.after(tenant)
    return tenant


@transaction.atomic
def update_tenant(
    tenant: Tenant,
    title: str,
    *,
    profile: TenantProfile | None = None,
    version: int | None = None,
    **fields: Any,
) -> Tenant:
    """Replace everything that `fields` says; without a profile its own stays. Raises BadRequest, VersionConflict."""
    if not title.strip():
        raise BadRequest(TITLE_MISSING)
    tenant = Tenant.objects.select_for_update(of=("self",)).get(pk=tenant.pk)
    require_version(tenant, version)
    with audit.deed(ActionType.UPDATED, EntityType.TENANT, tenant) as entry:
        entry.before(tenant)
        _set(tenant, {**fields, "title": title.strip(), **({} if profile is None else {"profile": profile})})
        tenant.save()
        entry.after(tenant)
    return tenant


@transaction.atomic
def delete_tenant(tenant: Tenant) -> None:
    """Delete a tenant and all that it owns. What was measured goes in the background; nobody sees it from now on."""
    with audit.deed(ActionType.DELETED, EntityType.TENANT, tenant) as entry:
        entry.before(tenant)
        # The log of what was done to a tenant outlives it; it is the system's from now on.
        entry.row.tenant_id = None
        deleting(EntityType.TENANT, [tenant.pk], tenant.pk)
        for kind, model in ((EntityType.USER, User), (EntityType.CUSTOMER, Customer)):
            rows = model._default_manager.filter(tenant_id=tenant.pk)
            deleting(kind, list(rows.values_list("pk", flat=True)), tenant.pk)
            rows.delete()
        forget_groups(UserGroup.objects.filter(tenant_id=tenant.pk))
        tenant.delete()


def default_profile() -> TenantProfile:
    """The profile of tenants for which none was chosen: unlimited, made when it is needed first."""
    found = TenantProfile.objects.filter(is_default=True).first()
    if found is not None:
        return found
    made, _ = TenantProfile.objects.get_or_create(
        name=DEFAULT_PROFILE,
        defaults={
            "is_default": True,
            "description": "Default tenant profile",
            "profile_data": {"configuration": {"type": "DEFAULT"}},
        },
    )
    return made


@transaction.atomic
def create_profile(name: str, **fields: Any) -> TenantProfile:
    """A tenant profile. Raises BadRequest for an empty or taken name, or limits that are none."""
    fields["profile_data"] = checked_profile_data(fields.get("profile_data"))
    profile = TenantProfile(name=_named(name), **fields)
    with audit.deed(ActionType.ADDED, EntityType.TENANT_PROFILE, profile) as entry:
        with refusing(NAME_TAKEN):
            profile.save(force_insert=True)
        entry.after(profile)
    return profile


@transaction.atomic
def update_profile(profile: TenantProfile, name: str, *, version: int | None = None, **fields: Any) -> TenantProfile:
    """Replace everything that `fields` says; its limits hold from the next question on. Raises as `create_profile`."""
    profile = TenantProfile.objects.select_for_update().get(pk=profile.pk)
    require_version(profile, version)
    if "profile_data" in fields:
        fields["profile_data"] = checked_profile_data(fields["profile_data"])
    with audit.deed(ActionType.UPDATED, EntityType.TENANT_PROFILE, profile) as entry:
        entry.before(profile)
        _set(profile, {**fields, "name": _named(name)})
        with refusing(NAME_TAKEN):
            profile.save()
        entry.after(profile)
    return profile


@transaction.atomic
def set_default_profile(profile: TenantProfile) -> TenantProfile:
    """Make it the profile of tenants for which none is chosen."""
    with audit.deed(ActionType.UPDATED, EntityType.TENANT_PROFILE, profile) as entry:
        entry.before(profile)
        for other in TenantProfile.objects.select_for_update().filter(is_default=True).exclude(pk=profile.pk):
            other.is_default = False
            other.save(update_fields=["is_default"])
        profile.is_default = True
        profile.save(update_fields=["is_default"])
        entry.after(profile)
    return profile


@transaction.atomic
def delete_profile(profile: TenantProfile) -> None:
    """Delete it. Raises BadRequest while tenants have it, and for the default one."""
    if profile.is_default:
        raise BadRequest("Deletion of Default Tenant Profile is prohibited!")
    if Tenant.objects.filter(profile=profile).exists():
        raise BadRequest("The tenant profile referenced by the tenants cannot be deleted!")
    with audit.deed(ActionType.DELETED, EntityType.TENANT_PROFILE, profile) as entry:
        entry.before(profile)
        deleting(EntityType.TENANT_PROFILE, [profile.pk], None)
        profile.delete()


def require_version(found: Any, version: int | None) -> None:
    """Raise VersionConflict when the caller saw another version than the present one; None means no check."""
    if version is not None and version != found.version:
        raise VersionConflict("It was changed by someone else: read it again and repeat the change.")


def _set(found: Any, fields: Mapping[str, Any]) -> None:
    for name, value in fields.items():
        setattr(found, name, value)
    found.version += 1


def _named(name: str) -> str:
    if not name.strip():
        raise BadRequest("Tenant profile name should be specified!")
    return name.strip()
