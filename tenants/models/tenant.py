"""Tenants: the walls between organisations."""

from django.db import models

from tenants.models.contact import Contact
from tenants.models.profile import TenantProfile
from tenants.querysets import TenantQuerySet
from thingsboard.kernel.models import Entity


class Tenant(Contact, Entity):
    """One organisation; nothing of it is ever visible to another."""

    title = models.CharField(max_length=255)
    region = models.CharField(max_length=255, blank=True)
    profile = models.ForeignKey(TenantProfile, on_delete=models.PROTECT, related_name="tenants")
    additional_info = models.JSONField(null=True, blank=True)

    objects = TenantQuerySet.as_manager()

    def __str__(self) -> str:
        return self.title
