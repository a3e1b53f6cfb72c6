"""Which customer a device is assigned to: who sees it beside the tenant's administrators."""

from django.db import transaction

from devices.models import Device
from tenants.models import ActionType, Customer
from tenants.services import audit
from tenants.services.customers import public_customer
from thingsboard.kernel.errors import BadRequest
from thingsboard.kernel.ids import EntityType


@transaction.atomic
def assign_device(device: Device, customer: Customer) -> Device:
    """Assign the device to a customer of the same tenant, instead of the one that had it. Raises BadRequest."""
    # Whoever deletes the customer meanwhile waits, and then takes the device away from it again.
    held = Customer.objects.select_for_update(of=("self",), no_key=True).filter(pk=customer.pk).first()
    if held is None or held.tenant_id != device.tenant_id:
        raise BadRequest("Can't assign device to customer from different tenant!")
    device = _locked(device)
    with audit.deed(ActionType.ASSIGNED_TO_CUSTOMER, EntityType.DEVICE, device) as entry:
        entry.before(device)
        entry.row.customer_id = held.pk
        _give(device, held)
        entry.after(device)
    return device


@transaction.atomic
def unassign_device(device: Device) -> Device:
    """Take the device from its customer, at once. Raises BadRequest where none has it."""
    device = _locked(device)
    if device.customer_id is None:
        raise BadRequest("Device isn't assigned to any customer!")
    with audit.deed(ActionType.UNASSIGNED_FROM_CUSTOMER, EntityType.DEVICE, device) as entry:
        entry.before(device)
        _give(device, None)
        entry.after(device)
    return device


@transaction.atomic
def publish_device(device: Device) -> Device:
    """Assign the device to the public customer, which is made when it is needed first. Raises BadRequest."""
    return assign_device(device, public_customer(device.tenant))


def _locked(device: Device) -> Device:
    found: Device = Device.objects.select_for_update(of=("self",)).select_related("profile").get(pk=device.pk)
    return found


def _give(device: Device, customer: Customer | None) -> None:
    device.customer = customer
    device.version += 1
    device.save(update_fields=["customer", "version"])
