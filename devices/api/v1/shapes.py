"""How our own API spells devices, their profiles and credentials."""

from typing import Any

from rest_framework import serializers

from devices.api.shapes import LONGEST_DESCRIPTION, LONGEST_IMAGE
from devices.models import CredentialsType, Device, DeviceCredentials, DeviceProfile
from devices.services.credential_kinds import LONGEST_VALUE
from thingsboard.kernel.serializers import EntitySerializer, JsonObject


class CredentialsSerializer(serializers.ModelSerializer[DeviceCredentials]):
    """Credentials, in the clear. The id counts for access tokens only, the value for all other kinds."""

    credentials_type = serializers.ChoiceField(choices=CredentialsType.choices)
    credentials_id = serializers.CharField(max_length=LONGEST_VALUE, required=False, allow_blank=True)
    credentials_value = serializers.CharField(
        max_length=LONGEST_VALUE, required=False, allow_null=True, allow_blank=True
    )
    version = serializers.IntegerField(required=False, min_value=0, max_value=2**63 - 1)

    class Meta:
        model = DeviceCredentials
        fields = (
            "id", "created_time", "device_id", "credentials_type", "credentials_id", "credentials_value", "version",
        )  # fmt: skip


class AssignmentSerializer(serializers.Serializer[Any]):
    """To whom."""

    customer_id = serializers.UUIDField()


class DeviceSerializer(EntitySerializer):
    """A device. Tenant and customer are nobody's to say here: see /customer below it."""

    name = serializers.CharField(max_length=255)
    type = serializers.CharField(
        source="profile.name", max_length=255, required=False, allow_blank=True, help_text="The profile's name."
    )
    device_profile_id = serializers.UUIDField(
        source="profile_id", required=False, allow_null=True, help_text="Goes before `type`."
    )
    device_data = JsonObject(required=False)
    additional_info = JsonObject(required=False, allow_null=True)
    active = serializers.BooleanField(read_only=True)
    credentials = CredentialsSerializer(
        write_only=True, required=False, help_text="Of a new device; without them it gets a random access token."
    )

    class Meta:
        model = Device
        fields = (
            "id", "created_time", "name", "type", "label", "tenant_id", "customer_id", "device_profile_id", "active",
            "device_data", "firmware_id", "software_id", "external_id", "additional_info", "version", "credentials",
        )  # fmt: skip

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """`type` as a text of its own."""
        kind = attrs.pop("profile", {}).get("name", "")
        return {**super().validate(attrs), "type": kind, "profile_id": attrs.get("profile_id")}


class DeviceProfileInfoSerializer(serializers.ModelSerializer[DeviceProfile]):
    """What everybody in the tenant may know of a profile."""

    class Meta:
        model = DeviceProfile
        fields = (
            "id", "created_time", "name", "tenant_id", "description", "image", "is_default", "type", "transport_type",
            "default_dashboard_id",
        )  # fmt: skip
        read_only_fields = fields


class DeviceProfileSerializer(EntitySerializer):
    """A profile, with the secret of its provisioning. Which one is the default, only `default` says."""

    name = serializers.CharField(max_length=255)
    profile_data = JsonObject(required=False)
    provision_device_key = serializers.CharField(max_length=255, required=False, allow_null=True)

    class Meta:
        model = DeviceProfile
        fields = (
            "id", "created_time", "name", "tenant_id", "description", "image", "is_default", "type", "transport_type",
            "provision_type", "provision_device_key", "default_rule_chain_id", "default_edge_rule_chain_id",
            "default_dashboard_id", "default_queue_name", "firmware_id", "software_id", "external_id", "profile_data",
            "version",
        )  # fmt: skip
        read_only_fields = ("is_default",)
        extra_kwargs = {"description": {"max_length": LONGEST_DESCRIPTION}, "image": {"max_length": LONGEST_IMAGE}}
