"""Writes of customers."""

from typing import Any

from django.db import transaction

from tenants.limits import require_room
from tenants.models import Customer, Tenant
from thingsboard.kernel.constraints import refusing
from thingsboard.kernel.errors import BadRequest
from thingsboard.kernel.ids import EntityType


@transaction.atomic
def create_customer(tenant: Tenant, title: str, **fields: Any) -> Customer:
    """A customer of the tenant. Raises BadRequest for an empty or taken title, LimitExceeded by the tenant profile."""
    if not title.strip():
        raise BadRequest("Customer title should be specified!")
    require_room(tenant.pk, EntityType.CUSTOMER, Customer.objects.filter(tenant=tenant).count)
    with refusing({"customer_title": "Customer with such title already exists!"}):
        return Customer.objects.create(tenant=tenant, title=title.strip(), **fields)
