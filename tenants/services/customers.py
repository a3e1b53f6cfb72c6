"""Writes of customers."""

from typing import Any

from django.db import transaction

from tenants.limits import require_room
from tenants.models import ActionType, Customer, Tenant
from tenants.services import audit
from tenants.services.documents import customer_json
from tenants.services.events import Event, tell_entity
from tenants.services.tenants import require_version
from thingsboard.kernel.constraints import refusing
from thingsboard.kernel.entities import deleting
from thingsboard.kernel.errors import BadRequest
from thingsboard.kernel.ids import EntityId, EntityType
from thingsboard.kernel.naming import Uniquify

_TAKEN = {"customer_title": "Customer with such title already exists!"}
PUBLIC = "Public"


@transaction.atomic
def create_customer(tenant: Tenant, title: str, *, unique: Uniquify | None = None, **fields: Any) -> Customer:
    """A customer of the tenant; `unique` says how a taken title is made free.

    Raises BadRequest for an empty or taken title, LimitExceeded by the tenant profile.
    """
    _require_private(fields)
    return _create(Customer(tenant=tenant, title=_titled(title), **fields), unique)


def _create(customer: Customer, unique: Uniquify | None = None) -> Customer:
    tenant = customer.tenant
    _make_unique(customer, unique)
    with audit.deed(ActionType.ADDED, EntityType.CUSTOMER, customer) as entry:
        require_room(tenant.pk, EntityType.CUSTOMER, Customer.objects.filter(tenant=tenant).count)
        with refusing(_TAKEN):
            customer.save(force_insert=True)
        entry.after(customer)
        _announce(Event.ENTITY_CREATED, customer)
    return customer


@transaction.atomic
def update_customer(
    customer: Customer, title: str, *, version: int | None = None, unique: Uniquify | None = None, **fields: Any
) -> Customer:
    """Replace everything that `fields` says. Raises BadRequest, VersionConflict."""
    customer = Customer.objects.select_for_update(of=("self",)).get(pk=customer.pk)
    require_version(customer, version)
    if is_public(customer):
        raise BadRequest("Can't update the public customer!")
    _require_private(fields)
    with audit.deed(ActionType.UPDATED, EntityType.CUSTOMER, customer) as entry:
        entry.before(customer)
        for name, value in {**fields, "title": _titled(title)}.items():
            setattr(customer, name, value)
        _make_unique(customer, unique)
        customer.version += 1
        with refusing(_TAKEN):
            customer.save()
        entry.after(customer)
        _announce(Event.ENTITY_UPDATED, customer)
    return customer


@transaction.atomic
def delete_customer(customer: Customer) -> None:
    """Delete a customer with its users; what was assigned to it is nobody's from now on."""
    with audit.deed(ActionType.DELETED, EntityType.CUSTOMER, customer) as entry:
        entry.before(customer)
        users = list(customer.users.values_list("pk", flat=True))
        deleting(EntityType.USER, users, customer.tenant_id)
        deleting(EntityType.CUSTOMER, [customer.pk], customer.tenant_id)
        _announce(Event.ENTITY_DELETED, customer)
        customer.delete()


@transaction.atomic
def public_customer(tenant: Tenant) -> Customer:
    """The customer that stands for everybody, made when something is made public first (compat/data_model.md 3).

    A customer that merely has its title does not become public by that: everybody would see what is its own.
    Raises BadRequest then.
    """
    found = Customer.objects.filter(tenant=tenant, additional_info__isPublic=True).first()
    return found or _create(Customer(tenant=tenant, title=PUBLIC, additional_info={"isPublic": True}))


def is_public(customer: Customer) -> bool:
    """Whether it stands for everybody."""
    return bool((customer.additional_info or {}).get("isPublic"))


def _announce(event: Event, customer: Customer) -> None:
    tell_entity(event, EntityId(EntityType.CUSTOMER, customer.pk), customer, customer_json(customer))


def _require_private(fields: dict[str, Any]) -> None:
    """Raise BadRequest for a caller that calls its customer public: only making a thing public makes that one."""
    if (fields.get("additional_info") or {}).get("isPublic"):
        raise BadRequest("additionalInfo.isPublic: only the public customer has it, which nobody makes by hand")


def _make_unique(customer: Customer, unique: Uniquify | None) -> None:
    if unique is not None:
        others = Customer.objects.filter(tenant_id=customer.tenant_id).exclude(pk=customer.pk)
        customer.title = unique.free_name(customer.title, others, "title")


def _titled(title: str) -> str:
    if not title.strip():
        raise BadRequest("Customer title should be specified!")
    return title.strip()
