"""Writes of customers."""

from typing import Any

from django.db import transaction

from tenants.limits import require_room
from tenants.models import ActionType, Customer, Tenant
from tenants.services import audit
from tenants.services.tenants import require_version
from thingsboard.kernel.constraints import refusing
from thingsboard.kernel.entities import deleting
from thingsboard.kernel.errors import BadRequest
from thingsboard.kernel.ids import EntityType

_TAKEN = {"customer_title": "Customer with such title already exists!"}
PUBLIC = "Public"


@transaction.atomic
def create_customer(tenant: Tenant, title: str, **fields: Any) -> Customer:
    """A customer of the tenant. Raises BadRequest for an empty or taken title, LimitExceeded by the tenant profile."""
    customer = Customer(tenant=tenant, title=_titled(title), **fields)
    with audit.deed(ActionType.ADDED, EntityType.CUSTOMER, customer) as entry:
        require_room(tenant.pk, EntityType.CUSTOMER, Customer.objects.filter(tenant=tenant).count)
        with refusing(_TAKEN):
            customer.save(force_insert=True)
        entry.after(customer)
    return customer


@transaction.atomic
def update_customer(customer: Customer, title: str, *, version: int | None = None, **fields: Any) -> Customer:
    """Replace everything that `fields` says. Raises BadRequest, VersionConflict."""
    customer = Customer.objects.select_for_update(of=("self",)).get(pk=customer.pk)
    require_version(customer, version)
    if is_public(customer):
        raise BadRequest("Can't update the public customer!")
    with audit.deed(ActionType.UPDATED, EntityType.CUSTOMER, customer) as entry:
        entry.before(customer)
        for name, value in {**fields, "title": _titled(title)}.items():
            setattr(customer, name, value)
        customer.version += 1
        with refusing(_TAKEN):
            customer.save()
        entry.after(customer)
    return customer


@transaction.atomic
def delete_customer(customer: Customer) -> None:
    """Delete a customer with its users; what was assigned to it is nobody's from now on."""
    with audit.deed(ActionType.DELETED, EntityType.CUSTOMER, customer) as entry:
        entry.before(customer)
        users = list(customer.users.values_list("pk", flat=True))
        deleting(EntityType.USER, users, customer.tenant_id)
        deleting(EntityType.CUSTOMER, [customer.pk], customer.tenant_id)
        customer.delete()


def public_customer(tenant: Tenant) -> Customer:
    """The customer that stands for everybody, made when something is made public first (compat/data_model.md 3)."""
    found = Customer.objects.filter(tenant=tenant, title=PUBLIC).first()
    return found or create_customer(tenant, PUBLIC, additional_info={"isPublic": True})


def is_public(customer: Customer) -> bool:
    """Whether it stands for everybody."""
    return bool((customer.additional_info or {}).get("isPublic"))


def _titled(title: str) -> str:
    if not title.strip():
        raise BadRequest("Customer title should be specified!")
    return title.strip()
