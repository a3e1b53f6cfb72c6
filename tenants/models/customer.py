"""Customers: who a tenant's devices are assigned to."""

from django.db import models

from tenants.models.contact import Contact
from tenants.models.owned import TenantOwned
from tenants.querysets import CustomerQuerySet


class Customer(Contact, TenantOwned):
    """Sees what is assigned to it."""

    title = models.CharField(max_length=255)
    external_id = models.UUIDField(null=True, blank=True)
    additional_info = models.JSONField(null=True, blank=True)

    objects = CustomerQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "title"], name="customer_title")]

    def __str__(self) -> str:
        return self.title
