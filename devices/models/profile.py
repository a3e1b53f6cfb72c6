"""Device profiles: what devices of one kind share."""

from django.db import models

from devices.querysets import DeviceProfileQuerySet
from tenants.models import TenantOwned


class TransportType(models.TextChoices):
    """Over which protocol the devices of a profile may come (compat/data_model.md 5)."""

    DEFAULT = "DEFAULT"
    MQTT = "MQTT"
    COAP = "COAP"
    LWM2M = "LWM2M"
    SNMP = "SNMP"


class ProvisionType(models.TextChoices):
    """How devices of a profile may register themselves (compat/device_transports.md 6)."""

    DISABLED = "DISABLED"
    ALLOW_CREATE_NEW_DEVICES = "ALLOW_CREATE_NEW_DEVICES"
    CHECK_PRE_PROVISIONED_DEVICES = "CHECK_PRE_PROVISIONED_DEVICES"
    X509_CERTIFICATE_CHAIN = "X509_CERTIFICATE_CHAIN"


class DeviceProfile(TenantOwned):
    """Rule chain, dashboard and OTA packages are of higher floors: plain UUIDs, checked through the kernel's entity
    door.
    """

    name = models.CharField(max_length=255)
    description = models.TextField(blank=True)
    image = models.TextField(blank=True)
    is_default = models.BooleanField(default=False)
    type = models.CharField(max_length=16, default="DEFAULT")
    transport_type = models.CharField(max_length=16, choices=TransportType.choices, default=TransportType.DEFAULT)
    provision_type = models.CharField(max_length=32, choices=ProvisionType.choices, default=ProvisionType.DISABLED)
    provision_device_key = models.CharField(max_length=255, null=True, blank=True, unique=True)
    default_rule_chain_id = models.UUIDField(null=True, blank=True)
    default_edge_rule_chain_id = models.UUIDField(null=True, blank=True)
    default_dashboard_id = models.UUIDField(null=True, blank=True)
    default_queue_name = models.CharField(max_length=64, null=True, blank=True)
    firmware_id = models.UUIDField(null=True, blank=True)
    software_id = models.UUIDField(null=True, blank=True)
    external_id = models.UUIDField(null=True, blank=True)
    profile_data = models.JSONField(default=dict, blank=True)

    objects = DeviceProfileQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "name"], name="device_profile_name"),
            models.UniqueConstraint(
                fields=["tenant"], condition=models.Q(is_default=True), name="device_profile_one_default"
            ),
        ]

    def __str__(self) -> str:
        return self.name
