"""The JSON of users: ThingsBoard's (compat/data_model.md 3) and our own API's."""

from typing import Any

from tenants.models import User
from thingsboard.kernel.ids import NULL_UUID, EntityId, EntityType


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


def user_resource(user: User) -> dict[str, Any]:
    """A user of our own API: snake_case, plain UUIDs, null where there is none."""
    return {
        "id": user.pk,
        "created_time": user.created_time,
        "name": user.email,
        "email": user.email,
        "authority": user.authority,
        "tenant_id": user.tenant_id,
        "customer_id": user.customer_id,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "phone": user.phone,
        "enabled": user.is_active,
        "activated": user.has_usable_password(),
        "last_login_time": last_login_ms(user),
        "additional_info": user.additional_info,
        "version": user.version,
    }


def last_login_ms(user: User) -> int | None:
    """When the user logged in last, in ms."""
    return None if user.last_login is None else int(user.last_login.timestamp() * 1000)
