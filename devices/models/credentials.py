"""What a device proves its identity with."""

from django.db import models

from devices.models.device import Device
from devices.querysets import DeviceCredentialsQuerySet
from thingsboard.kernel.models import Entity
from thingsboard.kernel.secrets import decrypt


class CredentialsType(models.TextChoices):
    """The four kinds of ThingsBoard (compat/device_transports.md 5)."""

    ACCESS_TOKEN = "ACCESS_TOKEN"
    X509_CERTIFICATE = "X509_CERTIFICATE"
    MQTT_BASIC = "MQTT_BASIC"
    LWM2M_CREDENTIALS = "LWM2M_CREDENTIALS"


class DeviceCredentials(Entity):
    """One per device. Secrets are encrypted; `lookup` is the HMAC-SHA256 of the credentials id, unique on the
    platform.
    """

    device = models.OneToOneField(Device, on_delete=models.CASCADE, related_name="credentials")
    credentials_type = models.CharField(max_length=32, choices=CredentialsType.choices)
    lookup = models.BinaryField(unique=True, max_length=32)
    encrypted_id = models.BinaryField()
    encrypted_value = models.BinaryField(null=True)

    objects = DeviceCredentialsQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "device credentials"

    def __str__(self) -> str:
        return f"{self.credentials_type} of {self.device_id}"

    @property
    def credentials_id(self) -> str:
        """The access token, user name or certificate hash in the clear."""
        return decrypt(self.encrypted_id)

    @property
    def credentials_value(self) -> str | None:
        """The secret value in the clear, None for access tokens."""
        return None if self.encrypted_value is None else decrypt(self.encrypted_value)
