"""ThingsBoard's JSON of customers and users (compat/data_model.md 3): what its API answers, and what events carry."""

from typing import Any

from tenants.models import Customer, User
from tenants.models.contact import Contact
from thingsboard.kernel.ids import NULL_UUID, EntityId, EntityType

CONTACT = tuple(field.name for field in Contact._meta.get_fields())


def owner_json(tenant_id: Any, customer_id: Any) -> dict[str, Any]:
    """`tenantId` and `customerId`; none is the NULL UUID, never null."""
    return {
        "tenantId": EntityId(EntityType.TENANT, tenant_id or NULL_UUID).to_json(),
        "customerId": EntityId(EntityType.CUSTOMER, customer_id or NULL_UUID).to_json(),
    }


def user_json(user: User) -> dict[str, Any]:
    """A User; nothing of its password."""
    info = dict(user.additional_info) if isinstance(user.additional_info, dict) else {}
    info["userCredentialsEnabled"] = user.is_active
    info["userActivated"] = user.has_usable_password()
    if user.last_login is not None:
        info["lastLoginTs"] = last_login_ms(user)
    return {
        "id": EntityId(EntityType.USER, user.pk).to_json(),
        "createdTime": user.created_time,
        **owner_json(user.tenant_id, user.customer_id),
        "email": user.email,
        "authority": user.authority,
        "firstName": user.first_name or None,
        "lastName": user.last_name or None,
        "phone": user.phone or None,
        "name": user.email,
        "additionalInfo": info,
        "version": user.version,
    }


def customer_json(customer: Customer) -> dict[str, Any]:
    """A Customer."""
    external = customer.external_id
    return {
        "id": EntityId(EntityType.CUSTOMER, customer.pk).to_json(),
        "createdTime": customer.created_time,
        "tenantId": EntityId(EntityType.TENANT, customer.tenant_id).to_json(),
        "title": customer.title,
        "name": customer.title,
        **contact_json(customer),
        "externalId": EntityId(EntityType.CUSTOMER, external).to_json() if external else None,
        "additionalInfo": customer.additional_info,
        "version": customer.version,
    }


def contact_json(row: Contact) -> dict[str, str | None]:
    """Null where nothing is known."""
    return {name: getattr(row, name) or None for name in CONTACT}


def last_login_ms(user: User) -> int | None:
    """When the user logged in last, in ms."""
    return None if user.last_login is None else int(user.last_login.timestamp() * 1000)
