"""Which customer a device, asset or view is assigned to: who sees it beside the tenant's administrators."""

from typing import TypeVar

from django.db import transaction

from devices.models import Asset, Device, EntityView
from devices.services.events import announce_assigned, announce_unassigned
from tenants.models import ActionType, Customer
from tenants.services import audit
from tenants.services.customers import public_customer
from thingsboard.kernel.errors import BadRequest
from thingsboard.kernel.ids import EntityType

Assigned = TypeVar("Assigned", Device, Asset, EntityView)

_KINDS: dict[type, tuple[EntityType, str]] = {
    Device: (EntityType.DEVICE, "device"),
    Asset: (EntityType.ASSET, "asset"),
    EntityView: (EntityType.ENTITY_VIEW, "entity view"),
}


@transaction.atomic
def assign(thing: Assigned, customer: Customer) -> Assigned:
    """Assign it to a customer of the same tenant, instead of the one that had it. Raises BadRequest."""
    kind, title = _KINDS[type(thing)]
    # Whoever deletes the customer meanwhile waits, and then takes the thing away from it again.
    held = Customer.objects.select_for_update(of=("self",), no_key=True).filter(pk=customer.pk).first()
    if held is None or held.tenant_id != thing.tenant_id:
        raise BadRequest(f"Can't assign {title} to customer from different tenant!")
    thing = _locked(thing)
    with audit.deed(ActionType.ASSIGNED_TO_CUSTOMER, kind, thing) as entry:
        entry.before(thing)
        entry.row.customer_id = held.pk
        _give(thing, held)
        entry.after(thing)
        announce_assigned(thing, held)
    return thing


@transaction.atomic
def unassign(thing: Assigned) -> Assigned:
    """Take it from its customer, at once. Raises BadRequest where none has it."""
    kind, title = _KINDS[type(thing)]
    thing = _locked(thing)
    former = thing.customer
    if former is None:
        raise BadRequest(f"{title.capitalize()} isn't assigned to any customer!")
    with audit.deed(ActionType.UNASSIGNED_FROM_CUSTOMER, kind, thing) as entry:
        entry.before(thing)
        _give(thing, None)
        entry.after(thing)
        announce_unassigned(thing, former)
    return thing


@transaction.atomic
def publish(thing: Assigned) -> Assigned:
    """Assign it to the public customer, which is made when it is needed first. Raises BadRequest."""
    return assign(thing, public_customer(thing.tenant))


def _locked(thing: Assigned) -> Assigned:
    rows = type(thing)._default_manager.select_for_update(of=("self",))
    if not isinstance(thing, EntityView):
        rows = rows.select_related("profile")
    found: Assigned = rows.get(pk=thing.pk)
    return found


def _give(thing: Device | Asset | EntityView, customer: Customer | None) -> None:
    thing.customer = customer
    thing.version += 1
    thing.save(update_fields=["customer", "version"])


def keep_assigned(thing: Assigned, customer: Customer) -> bool:
    """Assign it unless it is already; whether that was to be done. Raises BadRequest."""
    if thing.customer_id == customer.pk:
        return False
    assign(thing, customer)
    return True


def keep_unassigned(thing: Assigned, customer: Customer | None = None) -> bool:
    """Take it from its customer, whichever that is, if it has one; whether that was to be done."""
    if thing.customer_id is None:
        return False
    unassign(thing)
    return True
