"""Entities of a tenant by their names, found or made."""

import uuid
from typing import Final

from devices.services.assets import AssetFields, create_asset
from devices.services.devices import DeviceFields, create_device
from rules.node.deeds import Target
from tenants.models import Customer, Tenant
from tenants.services.customers import create_customer
from thingsboard.kernel.entities import registered
from thingsboard.kernel.ids import EntityId, EntityType

# What ThingsBoard calls an entity of a kind, and what the field is that names it: there and here.
_NAMED: Final = {
    EntityType.DEVICE: ("Device", "name", "name"),
    EntityType.ASSET: ("Asset", "name", "name"),
    EntityType.ENTITY_VIEW: ("Entity View", "name", "name"),
    EntityType.CUSTOMER: ("Customer", "title", "title"),
    EntityType.DASHBOARD: ("Dashboard", "title", "title"),
    EntityType.USER: ("User", "email", "email"),
    EntityType.EDGE: ("Edge", "name", "name"),
}


def find(tenant_id: uuid.UUID, target: Target) -> EntityId | None:
    """The entity of that name in the tenant, of several the oldest. Raises ValueError where there is none to be made."""
    if target.type is EntityType.TENANT:
        return EntityId(target.type, tenant_id)
    title, called, field = _NAMED[target.type]
    if "\0" in target.name:
        raise ValueError(f"The {called} holds a NUL character: {target.name[:40]!r}.")
    door = registered().get(target.type)
    if door is not None and door.tenant_field:
        rows = door.model._default_manager.filter(**{door.tenant_field: tenant_id, field: target.name.strip()})
        key = rows.order_by("created_time", "pk").values_list("pk", flat=True).first()
        if key is not None:
            return EntityId(target.type, key)
    if not target.create:
        raise ValueError(f"{title} with {called} '{target.name[:255]}' doesn't exist!")
    return None


def make(tenant_id: uuid.UUID, target: Target) -> EntityId:
    """A customer, device or asset of that name. Raises ValueError for another kind, PlatformError as the services do."""
    if target.type is EntityType.CUSTOMER:
        return EntityId(target.type, create_customer(Tenant.objects.get(pk=tenant_id), target.name).pk)
    if target.type is EntityType.DEVICE:
        return EntityId(target.type, create_device(tenant_id, DeviceFields(name=target.name, type=target.profile)).pk)
    if target.type is EntityType.ASSET:
        return EntityId(target.type, create_asset(tenant_id, AssetFields(name=target.name, type=target.profile)).pk)
    title, called, _ = _NAMED[target.type]
    raise ValueError(f"{title} with {called} '{target.name[:255]}' doesn't exist!")


def customer_of(tenant_id: uuid.UUID, entity: EntityId) -> Customer:
    """The customer that `find` or `make` gave."""
    return Customer.objects.get(tenant_id=tenant_id, pk=entity.id)
