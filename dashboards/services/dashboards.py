"""Writes of dashboards."""

import hashlib
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from dashboards.models import Dashboard
from dashboards.services.configuration import encoded
from dashboards.services.documents import event_json
from tenants.limits import require_room
from tenants.models import ActionType, Customer
from tenants.services import audit
from tenants.services.customers import public_customer
from tenants.services.events import Event, tell_assigned, tell_entity, tell_unassigned
from thingsboard.kernel.entities import deleting, not_found
from thingsboard.kernel.errors import BadRequest, PayloadTooLarge, VersionConflict
from thingsboard.kernel.ids import EntityId, EntityType

LONGEST_TITLE = 255
LARGEST_IMAGE = 1_000_000  # characters, as ThingsBoard's own column
SMALLEST_ORDER, LARGEST_ORDER = -(2**31), 2**31 - 1
MOST_CUSTOMERS = 1000  # of one request


@dataclass(frozen=True, slots=True, kw_only=True)
class DashboardFields:
    """What a caller may say about a dashboard. Its tenant and its customers are not among it."""

    title: str
    image: str | None = None
    mobile_hide: bool = False
    mobile_order: int | None = None
    configuration: Any = None  # JSON
    external_id: uuid.UUID | None = None


@transaction.atomic
def create_dashboard(tenant_id: uuid.UUID, fields: DashboardFields) -> Dashboard:
    """A dashboard that is assigned to nobody. Raises BadRequest, PayloadTooLarge, LimitExceeded by the tenant profile."""
    dashboard = Dashboard(tenant_id=tenant_id, title=fields.title.strip())
    with audit.deed(ActionType.ADDED, EntityType.DASHBOARD, dashboard) as entry:
        _fill(dashboard, fields)
        require_room(tenant_id, EntityType.DASHBOARD, Dashboard.objects.filter(tenant_id=tenant_id).count)
        dashboard.save(force_insert=True)
        entry.after(_told(dashboard))
        tell_entity(Event.ENTITY_CREATED, *_told_to_rules(dashboard))
    return dashboard


@transaction.atomic
def update_dashboard(dashboard: Dashboard, fields: DashboardFields, *, version: int | None = None) -> Dashboard:
    """Replace everything that `fields` says; tenant and customers stay.

    Raises BadRequest, PayloadTooLarge, and VersionConflict when `version` is given and is not the present one.
    """
    dashboard = _locked(dashboard)
    if version is not None and version != dashboard.version:
        raise VersionConflict("The dashboard was changed by someone else: read it again and repeat the change.")
    with audit.deed(ActionType.UPDATED, EntityType.DASHBOARD, dashboard) as entry:
        entry.before(_told(dashboard))
        _fill(dashboard, fields)
        dashboard.version += 1
        dashboard.save()
        entry.after(_told(dashboard))
        entry.row.entity_name = dashboard.title
        tell_entity(Event.ENTITY_UPDATED, *_told_to_rules(dashboard))
    return dashboard


@transaction.atomic
def delete_dashboard(dashboard: Dashboard) -> None:
    """Delete it; who looks at it keeps what is on the screen until the page is loaded again."""
    dashboard = _locked(dashboard)
    with audit.deed(ActionType.DELETED, EntityType.DASHBOARD, dashboard) as entry:
        entry.before(_told(dashboard))
        deleting(EntityType.DASHBOARD, [dashboard.pk], dashboard.tenant_id)
        tell_entity(Event.ENTITY_DELETED, *_told_to_rules(dashboard))
        dashboard.delete()


def assign_dashboard(dashboard: Dashboard, customer: Customer) -> Dashboard:
    """Show it to the users of a customer. Nothing happens where it is already. Raises NotFound for a foreign customer."""
    return add_customers(dashboard, [customer.pk])


@transaction.atomic
def publish_dashboard(dashboard: Dashboard) -> Dashboard:
    """Assign it to the public customer, which is made when it is needed first."""
    return assign_dashboard(dashboard, public_customer(dashboard.tenant))


def unassign_dashboard(dashboard: Dashboard, customer: Customer) -> Dashboard:
    """Take it from the users of a customer; nothing happens where it is not assigned."""
    return remove_customers(dashboard, [customer.pk])


def keep_assigned(dashboard: Dashboard, customer: Customer) -> bool:
    """Assign it unless it is already; whether that was to be done. Raises NotFound for a foreign customer."""
    if dashboard.customers.filter(pk=customer.pk).exists():
        return False
    assign_dashboard(dashboard, customer)
    return True


def keep_unassigned(dashboard: Dashboard, customer: Customer | None) -> bool:
    """Take it from a customer if it has it; whether that was to be done. Raises BadRequest where none is named."""
    if customer is None:
        raise BadRequest("Customer title should be specified!")
    if not dashboard.customers.filter(pk=customer.pk).exists():
        return False
    unassign_dashboard(dashboard, customer)
    return True


@transaction.atomic
def add_customers(dashboard: Dashboard, customers: Collection[uuid.UUID]) -> Dashboard:
    """Assign it to all of them or, when one is none of the tenant's, to none. Raises NotFound, BadRequest."""
    dashboard = _locked(dashboard)
    _assign(dashboard, _customers(dashboard, customers))
    return dashboard


@transaction.atomic
def remove_customers(dashboard: Dashboard, customers: Collection[uuid.UUID]) -> Dashboard:
    """Take it from these customers; one that does not have it counts for nothing. Raises NotFound, BadRequest."""
    dashboard = _locked(dashboard)
    _unassign(dashboard, _customers(dashboard, customers))
    return dashboard


@transaction.atomic
def set_customers(dashboard: Dashboard, customers: Collection[uuid.UUID]) -> Dashboard:
    """Assign it to exactly these customers. Raises NotFound, BadRequest; then nothing has changed."""
    dashboard = _locked(dashboard)
    wanted = _customers(dashboard, customers)
    _unassign(dashboard, list(dashboard.customers.exclude(pk__in=[each.pk for each in wanted])))
    _assign(dashboard, wanted)
    return dashboard


def take_leave(kind: EntityType, ids: Collection[uuid.UUID], tenant_id: uuid.UUID | None) -> None:
    """What dashboards do when something of a lower floor is about to be deleted: a tenant's go with it.

    Those of a customer stay: only the assignment goes, with the customer's row.
    """
    if kind is not EntityType.TENANT:
        return
    rows = Dashboard.objects.filter(tenant_id__in=ids)
    deleting(EntityType.DASHBOARD, list(rows.values_list("pk", flat=True)), tenant_id)
    rows.delete()


def _assign(dashboard: Dashboard, customers: Collection[Customer]) -> None:
    known = set(dashboard.customers.values_list("pk", flat=True))
    for customer in customers:
        if customer.pk not in known:
            dashboard.customers.add(customer)
            _record(ActionType.ASSIGNED_TO_CUSTOMER, dashboard, customer)
            tell_assigned(*_told_to_rules(dashboard), customer)


def _unassign(dashboard: Dashboard, customers: Collection[Customer]) -> None:
    known = set(dashboard.customers.values_list("pk", flat=True))
    for customer in customers:
        if customer.pk in known:
            dashboard.customers.remove(customer)
            _record(ActionType.UNASSIGNED_FROM_CUSTOMER, dashboard, customer)
            tell_unassigned(*_told_to_rules(dashboard), customer)


def _record(action: ActionType, dashboard: Dashboard, customer: Customer) -> None:
    with audit.deed(action, EntityType.DASHBOARD, dashboard) as entry:
        entry.row.customer_id = customer.pk
        entry.after({"customer_id": customer.pk, "customer": customer.title})


def _told_to_rules(dashboard: Dashboard) -> tuple[EntityId, Dashboard, dict[str, Any]]:
    """What an event is about, with its document."""
    document = event_json(dashboard, dashboard.customers.order_by("title"))
    return EntityId(EntityType.DASHBOARD, dashboard.pk), dashboard, document


def _customers(dashboard: Dashboard, keys: Collection[uuid.UUID]) -> list[Customer]:
    """These customers of the dashboard's tenant."""
    wanted = set(keys)
    if len(wanted) > MOST_CUSTOMERS:
        raise BadRequest(f"Too many customers: {len(wanted)}; at most {MOST_CUSTOMERS} at a time")
    found = list(Customer.objects.filter(tenant_id=dashboard.tenant_id, pk__in=wanted).order_by("title"))
    if missing := wanted - {customer.pk for customer in found}:
        raise not_found(EntityType.CUSTOMER, min(missing))
    return found


def _locked(dashboard: Dashboard) -> Dashboard:
    """The dashboard as it is now, whole. Raises NotFound when somebody deleted it meanwhile."""
    found: Dashboard | None = Dashboard.objects.whole().select_for_update(of=("self",)).filter(pk=dashboard.pk).first()
    if found is None:
        raise not_found(EntityType.DASHBOARD, dashboard.pk)
    return found


def _fill(dashboard: Dashboard, fields: DashboardFields) -> None:
    """Set all fields and check them. Raises BadRequest, PayloadTooLarge."""
    title = fields.title.strip()
    if not title:
        raise BadRequest("Dashboard title should be specified!")
    if len(title) > LONGEST_TITLE:
        raise BadRequest(f"length of title must be equal or less than {LONGEST_TITLE}")
    if fields.image is not None and len(fields.image) > LARGEST_IMAGE:
        raise PayloadTooLarge(f"image: {len(fields.image)} characters; expected at most {LARGEST_IMAGE}")
    if fields.mobile_order is not None and not SMALLEST_ORDER <= fields.mobile_order <= LARGEST_ORDER:
        raise BadRequest(f"mobileOrder: expected from {SMALLEST_ORDER} to {LARGEST_ORDER}")
    dashboard.title = title
    dashboard.image = fields.image
    dashboard.mobile_hide = fields.mobile_hide
    dashboard.mobile_order = fields.mobile_order
    dashboard.configuration = encoded(fields.configuration)
    dashboard.external_id = fields.external_id


def _told(dashboard: Dashboard) -> dict[str, Any]:
    """What the audit log is told: of what is large, its size and whether it changed."""
    told = audit.snapshot(dashboard)
    for name in ("configuration", "image"):
        if (value := told[name]) is not None:
            digest = hashlib.sha256(value.encode()).hexdigest()
            told[name] = f"{len(value)} characters, SHA-256 {digest[:16]}"
    return told
