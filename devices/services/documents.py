"""ThingsBoard's JSON of devices, assets, their profiles, views, relations and commands (compat/data_model.md 3 and 5): what
its API answers, and what events carry.
"""

import uuid
from typing import Any

from devices.models import Asset, AssetProfile, Device, DeviceProfile, EntityRelation, EntityView, Rpc
from tenants.services.documents import owner_json
from thingsboard.kernel.ids import EntityId, EntityType


def _id_json(kind: EntityType, key: uuid.UUID | None) -> dict[str, str] | None:
    return None if key is None else EntityId(kind, key).to_json()


def device_json(device: Device) -> dict[str, Any]:
    """A Device."""
    return {
        "id": EntityId(EntityType.DEVICE, device.pk).to_json(),
        "createdTime": device.created_time,
        **owner_json(device.tenant_id, device.customer_id),
        "name": device.name,
        "type": device.type,
        "label": device.label or None,
        "deviceProfileId": EntityId(EntityType.DEVICE_PROFILE, device.profile_id).to_json(),
        "deviceData": device.device_data,
        "firmwareId": _id_json(EntityType.OTA_PACKAGE, device.firmware_id),
        "softwareId": _id_json(EntityType.OTA_PACKAGE, device.software_id),
        "externalId": _id_json(EntityType.DEVICE, device.external_id),
        "additionalInfo": device.additional_info,
        "version": device.version,
    }


def profile_info_json(profile: DeviceProfile) -> dict[str, Any]:
    """A DeviceProfileInfo."""
    return {
        "id": EntityId(EntityType.DEVICE_PROFILE, profile.pk).to_json(),
        "name": profile.name,
        "image": profile.image or None,
        "defaultDashboardId": _id_json(EntityType.DASHBOARD, profile.default_dashboard_id),
        "type": profile.type,
        "transportType": profile.transport_type,
        "tenantId": EntityId(EntityType.TENANT, profile.tenant_id).to_json(),
    }


def profile_json(profile: DeviceProfile) -> dict[str, Any]:
    """A DeviceProfile, with the secret of its provisioning: for administrators."""
    return {
        **profile_info_json(profile),
        "createdTime": profile.created_time,
        "description": profile.description or None,
        "default": profile.is_default,
        "provisionType": profile.provision_type,
        "provisionDeviceKey": profile.provision_device_key,
        "defaultRuleChainId": _id_json(EntityType.RULE_CHAIN, profile.default_rule_chain_id),
        "defaultEdgeRuleChainId": _id_json(EntityType.RULE_CHAIN, profile.default_edge_rule_chain_id),
        "defaultQueueName": profile.default_queue_name,
        "profileData": profile.profile_data,
        "firmwareId": _id_json(EntityType.OTA_PACKAGE, profile.firmware_id),
        "softwareId": _id_json(EntityType.OTA_PACKAGE, profile.software_id),
        "externalId": _id_json(EntityType.DEVICE_PROFILE, profile.external_id),
        "version": profile.version,
    }


def asset_json(asset: Asset) -> dict[str, Any]:
    """An Asset."""
    return {
        "id": EntityId(EntityType.ASSET, asset.pk).to_json(),
        "createdTime": asset.created_time,
        **owner_json(asset.tenant_id, asset.customer_id),
        "name": asset.name,
        "type": asset.type,
        "label": asset.label or None,
        "assetProfileId": EntityId(EntityType.ASSET_PROFILE, asset.profile_id).to_json(),
        "externalId": _id_json(EntityType.ASSET, asset.external_id),
        "additionalInfo": asset.additional_info,
        "version": asset.version,
    }


def asset_profile_json(profile: AssetProfile) -> dict[str, Any]:
    """An AssetProfile."""
    return {
        "id": EntityId(EntityType.ASSET_PROFILE, profile.pk).to_json(),
        "createdTime": profile.created_time,
        "tenantId": EntityId(EntityType.TENANT, profile.tenant_id).to_json(),
        "name": profile.name,
        "description": profile.description or None,
        "image": profile.image or None,
        "default": profile.is_default,
        "defaultRuleChainId": _id_json(EntityType.RULE_CHAIN, profile.default_rule_chain_id),
        "defaultDashboardId": _id_json(EntityType.DASHBOARD, profile.default_dashboard_id),
        "defaultQueueName": profile.default_queue_name,
        "defaultEdgeRuleChainId": _id_json(EntityType.RULE_CHAIN, profile.default_edge_rule_chain_id),
        "externalId": _id_json(EntityType.ASSET_PROFILE, profile.external_id),
        "version": profile.version,
    }


def view_json(view: EntityView) -> dict[str, Any]:
    """An EntityView."""
    return {
        "id": EntityId(EntityType.ENTITY_VIEW, view.pk).to_json(),
        "createdTime": view.created_time,
        **owner_json(view.tenant_id, view.customer_id),
        "entityId": view.entity.to_json(),
        "name": view.name,
        "type": view.type,
        "keys": view.keys,
        "startTimeMs": view.start_ts,
        "endTimeMs": view.end_ts,
        "externalId": _id_json(EntityType.ENTITY_VIEW, view.external_id),
        "additionalInfo": view.additional_info,
        "version": view.version,
    }


def relation_json(relation: EntityRelation) -> dict[str, Any]:
    """An EntityRelation."""
    return {
        "from": relation.from_entity.to_json(),
        "to": relation.to_entity.to_json(),
        "type": relation.type,
        "typeGroup": relation.group,
        "version": relation.version,
        "additionalInfo": relation.additional_info,
    }


def rpc_json(rpc: Rpc) -> dict[str, Any]:
    """An Rpc."""
    return {
        "id": EntityId(EntityType.RPC, rpc.pk).to_json(),
        "createdTime": rpc.created_time,
        "tenantId": EntityId(EntityType.TENANT, rpc.tenant_id).to_json(),
        "deviceId": EntityId(EntityType.DEVICE, rpc.device_id).to_json(),
        "expirationTime": rpc.expiration_time,
        "request": rpc.request,
        "response": rpc.response,
        "status": rpc.status,
        "additionalInfo": rpc.additional_info,
    }
