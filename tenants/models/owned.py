"""What belongs to a tenant."""

from django.db import models

from tenants.models.tenant import Tenant
from thingsboard.kernel.models import Entity


class TenantOwned(Entity):
    """An entity of one tenant. The tenant is set by services, never by a request's body."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+", editable=False)

    class Meta:
        abstract = True
