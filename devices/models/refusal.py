"""What was refused of devices and of those who claim to be one."""

from django.db import models

from devices.models.device import Device
from devices.querysets import RefusalQuerySet
from tenants.models import Tenant


class Refusal(models.Model):
    """Connects, requests and messages that a transport refused for one reason, from one address, within one window of
    time. Written by transports past the ORM (services/refusals.py), read here.

    Who brought a token that is nobody's belongs to no tenant. No foreign key is checked by the database: a device that
    is deleted meanwhile must not spoil the whole batch, and its rows grow old like all others.
    """

    digest = models.BinaryField(max_length=16, help_text="What makes refusals identical, as a hash.")
    window_start = models.BigIntegerField(help_text="Milliseconds since 1970.")
    tenant = models.ForeignKey(
        Tenant, null=True, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    device = models.ForeignKey(Device, null=True, on_delete=models.CASCADE, related_name="+", db_constraint=False)
    transport = models.CharField(max_length=8)
    address = models.CharField(max_length=64, blank=True, help_text="The other end's address, without its port.")
    reason = models.CharField(max_length=32, help_text="A short code.")
    message = models.CharField(max_length=255, help_text="The reason as a sentence.")
    token_prefix = models.CharField(max_length=4, blank=True, help_text="How a token that is nobody's begins.")
    lookup = models.BinaryField(null=True, max_length=32, help_text="By which the whole token finds this again.")
    client_id = models.CharField(max_length=64, blank=True, help_text="The last one; cut.")
    count = models.BigIntegerField(default=1)
    first_time = models.BigIntegerField(help_text="Milliseconds since 1970.")
    last_time = models.BigIntegerField(help_text="Milliseconds since 1970.")

    objects = RefusalQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["digest", "window_start"], name="refusal_identical")]
        indexes = [
            models.Index(fields=["tenant", "-last_time"], name="refusal_tenant_newest"),
            models.Index(fields=["lookup"], name="refusal_lookup"),
        ]

    def __str__(self) -> str:
        return f"{self.transport} {self.reason} from {self.address} ({self.count})"
