"""The JSON of device infos and credentials (compat/data_model.md 3), and how that of devices and profiles is read."""

from collections.abc import Mapping
from typing import Any

from devices.models import DeviceCredentials
from devices.services.credential_kinds import LONGEST_VALUE, Given
from devices.services.devices import DeviceFields
from devices.services.documents import device_json
from thingsboard.kernel.api import id_of, object_of, text_of
from thingsboard.kernel.ids import EntityId, EntityType

LONGEST_NAME = 255
LONGEST_DESCRIPTION = 16_384  # characters
LONGEST_IMAGE = 1_048_576  # characters: an image as a data URL, or a link


def device_info_json(device: Any) -> dict[str, Any]:
    """A DeviceInfo; the device comes from a queryset `with_activity()`."""
    customer = device.customer
    info = (customer.additional_info or {}) if customer is not None else {}
    return {
        **device_json(device),
        "customerTitle": customer.title if customer is not None else None,
        "customerIsPublic": bool(info.get("isPublic", False)),
        "deviceProfileName": device.profile.name,
        "active": device.active,
    }


def device_fields(body: Mapping[str, Any]) -> DeviceFields:
    """What a Device in a request says; unknown members, owners among them, count for nothing. Raises BadRequest."""
    return DeviceFields(
        name=text_of(body, "name", longest=LONGEST_NAME),
        type=text_of(body, "type", longest=LONGEST_NAME),
        profile_id=id_of(body, "deviceProfileId", EntityType.DEVICE_PROFILE),
        label=text_of(body, "label"),
        device_data=object_of(body, "deviceData"),
        firmware_id=id_of(body, "firmwareId", EntityType.OTA_PACKAGE),
        software_id=id_of(body, "softwareId", EntityType.OTA_PACKAGE),
        external_id=id_of(body, "externalId", EntityType.DEVICE),
        additional_info=object_of(body, "additionalInfo"),
    )


def credentials_json(credentials: DeviceCredentials) -> dict[str, Any]:
    """DeviceCredentials, in the clear."""
    return {
        "id": {"id": str(credentials.pk)},
        "createdTime": credentials.created_time,
        "deviceId": EntityId(EntityType.DEVICE, credentials.device_id).to_json(),
        "credentialsType": credentials.credentials_type,
        "credentialsId": credentials.credentials_id,
        "credentialsValue": credentials.credentials_value,
        "version": credentials.version,
    }


def given_credentials(body: Mapping[str, Any]) -> Given:
    """What DeviceCredentials in a request say; which of it counts depends on the type. Raises BadRequest."""
    return Given(
        text_of(body, "credentialsType"),
        text_of(body, "credentialsId", longest=LONGEST_VALUE),
        text_of(body, "credentialsValue", longest=LONGEST_VALUE),
    )


def profile_fields(body: Mapping[str, Any]) -> dict[str, Any]:
    """What a DeviceProfile in a request says besides its name; the tenant and `default` count for nothing.

    Raises BadRequest.
    """
    return {
        "description": text_of(body, "description", longest=LONGEST_DESCRIPTION),
        "image": text_of(body, "image", longest=LONGEST_IMAGE),
        "type": text_of(body, "type") or "DEFAULT",
        "transport_type": text_of(body, "transportType") or "DEFAULT",
        "provision_type": text_of(body, "provisionType") or "DISABLED",
        "provision_device_key": text_of(body, "provisionDeviceKey") or None,
        "default_rule_chain_id": id_of(body, "defaultRuleChainId", EntityType.RULE_CHAIN),
        "default_edge_rule_chain_id": id_of(body, "defaultEdgeRuleChainId", EntityType.RULE_CHAIN),
        "default_dashboard_id": id_of(body, "defaultDashboardId", EntityType.DASHBOARD),
        "default_queue_name": text_of(body, "defaultQueueName", longest=64) or None,
        "firmware_id": id_of(body, "firmwareId", EntityType.OTA_PACKAGE),
        "software_id": id_of(body, "softwareId", EntityType.OTA_PACKAGE),
        "external_id": id_of(body, "externalId", EntityType.DEVICE_PROFILE),
        "profile_data": object_of(body, "profileData"),
    }
