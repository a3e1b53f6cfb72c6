"""Events: what somebody did, said to the rule chains of the tenant (compat/rule_engine.md, "Messages fed by the platform").

They are appended to the durable queue in the transaction of the deed: neither happens without the other. Nobody's rules hear
of what belongs to no tenant.
"""

import enum
import uuid
from collections.abc import Mapping
from typing import Any

from django.db.models import Model

from tenants.models import Customer, User
from tenants.services import audit
from tenants.services.acting import acting_node
from thingsboard.kernel import outbox
from thingsboard.kernel.encoding import json_bytes
from thingsboard.kernel.entities import queue_of, tenant_of
from thingsboard.kernel.ids import NULL_UUID, EntityId

# What the metadata says where a rule node did it.
RULE_NODE_ID = "ruleNodeId"


class Event(enum.StrEnum):
    """Their types, which rule chains know."""

    ENTITY_CREATED = "ENTITY_CREATED"
    ENTITY_UPDATED = "ENTITY_UPDATED"
    ENTITY_DELETED = "ENTITY_DELETED"
    ENTITY_ASSIGNED = "ENTITY_ASSIGNED"
    ENTITY_UNASSIGNED = "ENTITY_UNASSIGNED"
    ATTRIBUTES_UPDATED = "ATTRIBUTES_UPDATED"
    ATTRIBUTES_DELETED = "ATTRIBUTES_DELETED"
    TIMESERIES_UPDATED = "TIMESERIES_UPDATED"
    TIMESERIES_DELETED = "TIMESERIES_DELETED"
    RELATION_ADD_OR_UPDATE = "RELATION_ADD_OR_UPDATE"
    RELATION_DELETED = "RELATION_DELETED"
    RELATIONS_DELETED = "RELATIONS_DELETED"


def tell(
    event: str,
    entity: EntityId,
    found: Model,
    body: Any,
    metadata: Mapping[str, str] | None = None,
    *,
    customer_id: uuid.UUID | None = None,
) -> None:
    """Append an event about the object `found` with this body (JSON), in Django's open transaction.

    Its metadata say who did it, if a request is being served or a rule node acts, and of which customer it is: this one,
    else the object's, else the user's.
    """
    tenant_id = tenant_of(entity, found)
    node = acting_node()
    if tenant_id == NULL_UUID or (node is not None and event not in node.tells):
        return
    told = dict(metadata or {}) if node is None else {**(metadata or {}), RULE_NODE_ID: str(node.id)}
    user = audit.acting_user()
    customer_id = customer_id or getattr(found, "customer_id", None)
    if user is not None:
        told |= _user_fields(user)
        customer_id = customer_id or user.customer_id
    if customer_id is not None:
        told["customerId"] = str(customer_id)
    message = outbox.Message(event, entity, json_bytes(body), told, customer_id=customer_id)
    outbox.append(tenant_id, message, queue=queue_of(entity, found) or outbox.MAIN)


def tell_entity(event: Event, entity: EntityId, found: Model, document: Any) -> None:
    """The same of an entity that was made, changed or is deleted: `document` is its JSON, as ThingsBoard's API has it."""
    tell(event, entity, found, document, _entity_fields(entity, found))


def tell_assigned(entity: EntityId, found: Model, document: Any, customer: Customer) -> None:
    """The same of an entity that was given to a customer."""
    names = {"assignedCustomerId": str(customer.pk), "assignedCustomerName": customer.title}
    fields = {**names, **_entity_fields(entity, found)}
    tell(Event.ENTITY_ASSIGNED, entity, found, document, fields, customer_id=customer.pk)


def tell_unassigned(entity: EntityId, found: Model, document: Any, customer: Customer) -> None:
    """The same of an entity that was taken from a customer."""
    names = {"unassignedCustomerId": str(customer.pk), "unassignedCustomerName": customer.title}
    fields = {**names, **_entity_fields(entity, found)}
    tell(Event.ENTITY_UNASSIGNED, entity, found, document, fields, customer_id=customer.pk)


def _entity_fields(entity: EntityId, found: Model) -> dict[str, str]:
    return {"entityName": str(found), "entityType": entity.type.value}


def _user_fields(user: User) -> dict[str, str]:
    """Who it was; a name that is not known is left out."""
    names = {"userFirstName": user.first_name, "userLastName": user.last_name}
    return {
        "userId": str(user.pk),
        "userName": user.email,
        "userEmail": user.email,
        **{key: name for key, name in names.items() if name},
    }
