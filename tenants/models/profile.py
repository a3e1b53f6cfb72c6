"""Tenant profiles: the limits that tenants share."""

from django.db import models

from tenants.querysets import TenantProfileQuerySet
from thingsboard.kernel.models import Entity


class TenantProfile(Entity):
    """Quotas and rate limits (compat/data_model.md 4); `profile_data` is ThingsBoard's JSON."""

    name = models.CharField(max_length=255, unique=True)
    description = models.TextField(blank=True)
    is_default = models.BooleanField(default=False)
    isolated_rule_engine = models.BooleanField(default=False)
    profile_data = models.JSONField(default=dict, blank=True)

    objects = TenantProfileQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"], condition=models.Q(is_default=True), name="tenant_profile_one_default"
            )
        ]

    def __str__(self) -> str:
        return self.name
