"""Events of devices, assets, their profiles, views, relations and commands; see `tenants.services.events`."""

from collections.abc import Callable, Mapping
from typing import Any

from django.db.models import Model

from devices.models import Asset, AssetProfile, Device, DeviceProfile, EntityRelation, EntityView, Rpc
from devices.services import documents
from tenants.models import Customer
from tenants.services.audit import without_secrets
from tenants.services.events import Event, tell, tell_assigned, tell_entity, tell_unassigned
from thingsboard.kernel import outbox
from thingsboard.kernel.encoding import json_bytes
from thingsboard.kernel.entities import queue_of
from thingsboard.kernel.ids import EntityId, EntityType

Told = Device | DeviceProfile | Asset | AssetProfile | EntityView


def _device(device: Device) -> dict[str, Any]:
    """Without what a device of SNMP proves itself with."""
    document = documents.device_json(device)
    return {**document, "deviceData": without_secrets(document["deviceData"])}


def _device_profile(profile: DeviceProfile) -> dict[str, Any]:
    """Without what devices provision themselves with."""
    document = documents.profile_json(profile)
    return {**document, "provisionDeviceKey": None, "profileData": without_secrets(document["profileData"])}


_DOCUMENTS: dict[type, tuple[EntityType, Callable[[Any], dict[str, Any]]]] = {
    Device: (EntityType.DEVICE, _device),
    DeviceProfile: (EntityType.DEVICE_PROFILE, _device_profile),
    Asset: (EntityType.ASSET, documents.asset_json),
    AssetProfile: (EntityType.ASSET_PROFILE, documents.asset_profile_json),
    EntityView: (EntityType.ENTITY_VIEW, documents.view_json),
}


def announce(event: Event, thing: Told) -> None:
    """Something was made or changed, or is about to be deleted."""
    kind, document = _DOCUMENTS[type(thing)]
    tell_entity(event, EntityId(kind, thing.pk), thing, document(thing))


def announce_assigned(thing: Told, customer: Customer) -> None:
    """It was given to the customer."""
    kind, document = _DOCUMENTS[type(thing)]
    tell_assigned(EntityId(kind, thing.pk), thing, document(thing), customer)


def announce_unassigned(thing: Told, customer: Customer) -> None:
    """It was taken from the customer."""
    kind, document = _DOCUMENTS[type(thing)]
    tell_unassigned(EntityId(kind, thing.pk), thing, document(thing), customer)


def announce_relation(event: Event, relation: EntityRelation, ends: Mapping[EntityId, Model]) -> None:
    """A relation was made, changed or deleted: once for each of its ends."""
    for entity, found in ends.items():
        tell(event, entity, found, documents.relation_json(relation))


def announce_rpc(rpc: Rpc) -> None:
    """A command has come so far: RPC_QUEUED, RPC_SENT, ... of its device."""
    device = EntityId(EntityType.DEVICE, rpc.device_id)
    message = outbox.Message(f"RPC_{rpc.status}", device, json_bytes(documents.rpc_json(rpc)), {})
    outbox.append(rpc.tenant_id, message, queue=queue_of(device, rpc.device) or outbox.MAIN)
