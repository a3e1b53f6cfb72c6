"""Writes of tenants and their profiles."""

import uuid
from collections.abc import Callable
from typing import Any

from django.db import transaction

from tenants.models import Tenant, TenantProfile
from thingsboard.kernel.constraints import refusing
from thingsboard.kernel.errors import BadRequest

DEFAULT_PROFILE = "Default"

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
        raise BadRequest("Tenant title should be specified!")
    tenant = Tenant.objects.create(title=title.strip(), profile=profile or default_profile(), **fields)
    for give in _equipment:
        give(tenant.pk)
    return tenant


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
    """A tenant profile. Raises BadRequest for an empty or taken name."""
    if not name.strip():
        raise BadRequest("Tenant profile name should be specified!")
    with refusing({"tenants_tenantprofile_name_key": "Tenant profile with such name already exists!"}):
        return TenantProfile.objects.create(name=name.strip(), **fields)
